package understudy

import (
	"errors"
	"testing"
)

func TestAPanicIsARefusalOfItsRequest(t *testing.T) {
	defer func(before *model) { exported = before }(exported)
	exported = nil
	Export(Description{}, func(request *Request) (*Prediction, error) {
		if request.ID == "odd" {
			var none []int
			none[len(request.ID)] = 1
		}
		return NewPrediction(), nil
	})
	results := exported.predict([]*Request{{ID: "usual"}, {ID: "odd"}, {ID: "usual"}})
	for _, index := range []int{0, 2} {
		if results[index].Err != nil || results[index].Prediction == nil {
			t.Errorf("result %d is %+v, expected a prediction", index, results[index])
		}
	}
	expect(t, *refusalOf(results[1].Err), *Failed("panic: runtime error: index out of range [3] with length 0"))
}

func TestAPanicInABatchIsARefusalOfAll(t *testing.T) {
	defer func(before *model) { exported = before }(exported)
	for _, check := range []struct{ value, message any }{
		{"too late", "panic: too late"},
		{errors.New("no tree"), "panic: no tree"},
		{7, "panic with a value that is neither a text nor an error"},
	} {
		exported = nil
		ExportBatch(Description{}, func([]*Request) []Result { panic(check.value) })
		results := exported.predict([]*Request{{}, {}})
		if len(results) != 2 {
			t.Fatalf("%d results, expected 2", len(results))
		}
		for _, result := range results {
			expect(t, any(refusalOf(result.Err).Message), check.message)
		}
	}
}
