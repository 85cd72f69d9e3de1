"""Who judges embeddings: classifiers that learn from stored embeddings alone, each in its best form.

What is left in an embedding depends on who reads it: a mixture of experts may find everything in 320 numbers
where a linear model finds less. So a panel is asked, and the best judge of the original is compared with the
best judge of the row. A new judge is one file here, and one line in each of `names.TITLES` and
`panel.JUDGES`.
"""
