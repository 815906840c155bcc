import math
import unittest

from model import Question, predict
from understudy_model import Refusal


class MyModelTest(unittest.TestCase):
    def test_without_features_the_bias_decides(self) -> None:
        self.assertAlmostEqual(predict(Question([0.0, 0.0, 0.0])).probability, 0.425557, places=6)

    def test_a_missing_feature_is_no_ground_for_a_guess(self) -> None:
        with self.assertRaises(Refusal):
            predict(Question([0.0, math.nan, 0.0]))


if __name__ == "__main__":
    unittest.main()
