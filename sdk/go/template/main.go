// Command my-model is a logistic regression of three features.
package main

import (
	"math"

	"github.com/understudy/understudy/sdk/go/understudy"
)

// Inputs are the tensors that the model takes.
type Inputs struct {
	Features [3]float32 `tensor:"features"`
}

// Outputs are the tensors that it gives.
type Outputs struct {
	Probability float64 `tensor:"probability"`
}

const bias = -0.3

var weights = [3]float64{0.8, -1.2, 0.05}

func init() { understudy.ExportFunc(predict) }

func main() {}

func predict(in Inputs) (Outputs, error) {
	logit := bias
	for index, feature := range in.Features {
		if feature != feature {
			return Outputs{}, understudy.Abstain("a feature is missing, and the training data had none of those")
		}
		logit += weights[index] * float64(feature)
	}
	return Outputs{Probability: 1 / (1 + math.Exp(-logit))}, nil
}
