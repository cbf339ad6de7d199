;; What every guest has besides its exports. Memory below the image (8192 bytes) is scratch:
;; the keeper in memory has a length at 0 and the bytes from 4.

;; First free byte. Nothing is ever freed, and what has been handed out stays in one piece.
(global $top (mut i32) (i32.const {END}))
;; Where the string under way begins.
(global $string (mut i32) (i32.const 0))
(global $kept (mut i32) (i32.const 0))
(global $kept-len (mut i32) (i32.const 0))

(func $alloc (export "cabi_realloc")
  (param $old i32) (param $old-len i32) (param $align i32) (param $len i32) (result i32)
  (local $at i32) (local $pages i32)
  (local.set $at
    (i32.and
      (i32.add (global.get $top) (i32.sub (local.get $align) (i32.const 1)))
      (i32.sub (i32.const 0) (local.get $align))))
  (global.set $top (i32.add (local.get $at) (local.get $len)))
  (local.set $pages
    (i32.sub
      (i32.shr_u (i32.add (global.get $top) (i32.const 65535)) (i32.const 16))
      (memory.size)))
  (if (i32.gt_s (local.get $pages) (i32.const 0))
    (then
      (if (i32.eq (memory.grow (local.get $pages)) (i32.const -1)) (then (unreachable)))))
  (memory.copy (local.get $at) (local.get $old) (local.get $old-len))
  (local.get $at))

(func $string-begin (global.set $string (global.get $top)))

;; Appends to the string under way.
(func $push (param $at i32) (param $len i32)
  (memory.copy
    (call $alloc (i32.const 0) (i32.const 0) (i32.const 1) (local.get $len))
    (local.get $at)
    (local.get $len)))

;; Writes address and length of the string under way.
(func $string-end (param $slot i32)
  (i32.store (local.get $slot) (global.get $string))
  (i32.store offset=4 (local.get $slot) (i32.sub (global.get $top) (global.get $string))))

;; The entry named `account/token` among an account's values, which are four words each. The name
;; lies at {TOKEN}.
(func $token (param $values i32) (param $count i32) (result i32)
  (local $byte i32)
  (loop $next-value
    (if (i32.eqz (local.get $count)) (then (unreachable)))
    (local.set $byte (i32.const 0))
    (if (i32.eq (i32.load offset=4 (local.get $values)) (i32.const 13))
      (then
        (loop $next-byte
          (if (i32.eq (local.get $byte) (i32.const 13)) (then (return (local.get $values))))
          (if (i32.eq
                (i32.load8_u (i32.add (i32.load (local.get $values)) (local.get $byte)))
                (i32.load8_u (i32.add (i32.const {TOKEN}) (local.get $byte))))
            (then
              (local.set $byte (i32.add (local.get $byte) (i32.const 1)))
              (br $next-byte))))))
    (local.set $values (i32.add (local.get $values) (i32.const 16)))
    (local.set $count (i32.sub (local.get $count) (i32.const 1)))
    (br $next-value))
  (unreachable))

(func $push-token (param $values i32) (param $count i32)
  (local $entry i32)
  (local.set $entry (call $token (local.get $values) (local.get $count)))
  (call $push (i32.load offset=8 (local.get $entry)) (i32.load offset=12 (local.get $entry))))

;; The host wrote the value into this memory, and nothing here frees it.
(func $keep-in-global (param $values i32) (param $count i32)
  (local $entry i32)
  (local.set $entry (call $token (local.get $values) (local.get $count)))
  (global.set $kept (i32.load offset=8 (local.get $entry)))
  (global.set $kept-len (i32.load offset=12 (local.get $entry))))

(func $keep-in-memory (param $values i32) (param $count i32)
  (local $entry i32)
  (local.set $entry (call $token (local.get $values) (local.get $count)))
  (i32.store (i32.const 0) (i32.load offset=12 (local.get $entry)))
  (memory.copy
    (i32.const 4)
    (i32.load offset=8 (local.get $entry))
    (i32.load offset=12 (local.get $entry))))

;; Writes address and length of a list of one element many times over. Without the memory for it
;; the list is claimed and not filled.
(func $repeat (param $slot i32) (param $one i32) (param $size i32) (param $times i32)
  (local $at i32) (local $end i32)
  (global.set $top (i32.and (i32.add (global.get $top) (i32.const 7)) (i32.const -8)))
  (local.set $at (global.get $top))
  (local.set $end (i32.add (local.get $at) (i32.mul (local.get $size) (local.get $times))))
  (i32.store (local.get $slot) (local.get $at))
  (i32.store offset=4 (local.get $slot) (local.get $times))
  (if (i32.eq
        (memory.grow
          (i32.shr_u
            (i32.add (i32.mul (local.get $size) (local.get $times)) (i32.const 65535))
            (i32.const 16)))
        (i32.const -1))
    (then (return)))
  (global.set $top (local.get $end))
  (loop $next
    (if (i32.lt_u (local.get $at) (local.get $end))
      (then
        (memory.copy (local.get $at) (local.get $one) (local.get $size))
        (local.set $at (i32.add (local.get $at) (local.get $size)))
        (br $next)))))
