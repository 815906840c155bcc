import math
import unittest

from understudy_model import narrow_to_bf16, narrow_to_fp16, widen_bf16, widen_fp16


class Halves(unittest.TestCase):
    def test_every_half_survives_being_widened_and_narrowed(self) -> None:
        for widen, narrow, infinity in ((widen_fp16, narrow_to_fp16, 0x7C00), (widen_bf16, narrow_to_bf16, 0x7F80)):
            for bits in range(0x10000):
                value = widen(bits)
                if bits & 0x7FFF > infinity:
                    self.assertTrue(math.isnan(value) and narrow(value) & 0x7FFF > infinity)
                else:
                    self.assertEqual(narrow(value), bits)

    def test_narrowing_goes_to_the_nearest_ties_to_even(self) -> None:
        def half(value: float) -> float:
            return widen_fp16(narrow_to_fp16(value))

        self.assertEqual([half(2049), half(2051), half(65519.99), half(65520)], [2048, 2052, 65504, math.inf])
        self.assertEqual([half(2**-25), half(2**-25 * 1.01)], [0, 2**-24])
        self.assertEqual(math.copysign(1, half(-(2**-26))), -1)
        self.assertEqual(widen_bf16(narrow_to_bf16(1 + 2**-8)), 1)
        self.assertEqual(widen_bf16(narrow_to_bf16(3.4e38)), math.inf)
