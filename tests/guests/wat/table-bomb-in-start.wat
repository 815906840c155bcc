;; Asks for a table of a thousand million elements before it runs.
(table $table 1000000000 funcref)
