select n from numbers
