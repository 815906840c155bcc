;; Asks for the network.
(import "wasi:sockets/instance-network@0.2.0" "instance-network" (func $network (result i32)))
(func $answer (param $x f64) (result f64) (f64.convert_i32_u (call $network)))
