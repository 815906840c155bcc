package main

import (
	"errors"
	"math"
	"testing"

	"github.com/understudy/understudy/sdk/go/understudy"
)

func TestWithoutFeaturesTheBiasDecides(t *testing.T) {
	out, err := predict(Inputs{})
	if err != nil || math.Abs(out.Probability-0.425557) > 1e-6 {
		t.Errorf("found %v (%v), expected 0.425557", out.Probability, err)
	}
}

func TestAMissingFeatureIsNoGroundForAGuess(t *testing.T) {
	_, err := predict(Inputs{Features: [3]float32{0, float32(math.NaN()), 0}})
	var refusal *understudy.Refusal
	if !errors.As(err, &refusal) || refusal.Kind != understudy.KindAbstain {
		t.Errorf("found %v, expected that the model abstains", err)
	}
}
