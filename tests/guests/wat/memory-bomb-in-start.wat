;; Asks for 4 GiB of memory before it runs.
(memory $memory 65536)
