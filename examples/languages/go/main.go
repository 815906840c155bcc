// Command logit-go says by logistic regression how likely a flight is to be late.
package main

import (
	"fmt"
	"math"

	"github.com/understudy/understudy/sdk/go/understudy"
)

// Flight is what is known at scheduled departure.
type Flight struct {
	Carrier   string  `tensor:"carrier"`
	Origin    string  `tensor:"origin"`
	Dest      string  `tensor:"dest"`
	Distance  float32 `tensor:"distance"`
	Hour      int32   `tensor:"hour"`
	Weekday   int32   `tensor:"weekday"`
	WindSpeed float32 `tensor:"wind_speed"`
	Precip    float32 `tensor:"precip"`
	Visib     float32 `tensor:"visib"`
}

// Delay is what is predicted.
type Delay struct {
	Delayed float64 `tensor:"delayed"`
}

func init() { understudy.ExportFunc(predict) }

func main() {}

func predict(flight Flight) (Delay, error) {
	hour, err := ofNumber("hour", hours, flight.Hour)
	if err != nil {
		return Delay{}, err
	}
	weekday, err := ofNumber("weekday", weekdays, flight.Weekday)
	if err != nil {
		return Delay{}, err
	}
	// A name that was not in the training data adds nothing: that is what a map says of it.
	logOdds := intercept + carriers[flight.Carrier] + origins[flight.Origin] + dests[flight.Dest]
	logOdds += hour
	logOdds += weekday
	logOdds += perDistance * float64(flight.Distance)
	logOdds += perWindSpeed * knownOr(usualWindSpeed, flight.WindSpeed)
	logOdds += perPrecip * knownOr(usualPrecip, flight.Precip)
	logOdds += perVisib * knownOr(usualVisib, flight.Visib)
	return Delay{Delayed: 1 / (1 + math.Exp(-logOdds))}, nil
}

// ofNumber gives what was learnt about a number from 0 on.
func ofNumber(name string, learnt []float64, number int32) (float64, error) {
	if number < 0 || int(number) >= len(learnt) {
		message := fmt.Sprintf("input `%s` is %d, expected 0 to %d", name, number, len(learnt)-1)
		return 0, understudy.InvalidInput(message)
	}
	return learnt[number], nil
}

// knownOr gives a number, or the usual one where it is unknown.
func knownOr(usual, number float32) float64 {
	if number != number {
		return float64(usual)
	}
	return float64(number)
}
