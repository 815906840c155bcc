;; Loops without end while it is instantiated.
(func $begin (loop $forever (br $forever)))
(start $begin)
