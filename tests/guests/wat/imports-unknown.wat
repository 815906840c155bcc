;; Asks for an interface that no host has.
(import "acme:secrets/vault@1.0.0" "open" (func $open (result i32)))
(func $answer (param $x f64) (result f64) (f64.convert_i32_u (call $open)))
