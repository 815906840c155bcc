package main

import (
	"errors"
	"testing"

	"github.com/understudy/understudy/sdk/go/understudy"
)

func TestAnHourOutOfRangeIsRefused(t *testing.T) {
	_, err := predict(Flight{Carrier: "UA", Origin: "EWR", Dest: "SFO", Distance: 2565, Hour: 24})
	var refusal *understudy.Refusal
	if !errors.As(err, &refusal) || refusal.Kind != understudy.KindInvalidInput {
		t.Errorf("found %v, expected that the hour is refused", err)
	}
}
