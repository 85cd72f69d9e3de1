"""How good trained runs are with their own heads, one alone or the mean of several."""
