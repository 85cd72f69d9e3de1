"""Where the files of others are opened: each library has one door.

A door checks what a file claims before memory is taken for it (`claims`), and turns whatever the library
raises about a damaged file into one line and exit code 65 (`guard`). HDF5, which may not come to an end or
crash, works in a process of its own (`hdf5`).
"""
