package understudy

import "slices"

// A Result is what comes of one request: a prediction, or the error for which there is none.
type Result struct {
	Prediction *Prediction
	Err        error
}

// model is what a program has exported.
type model struct {
	description Description
	predict     func([]*Request) []Result
}

var exported *model

// Export makes a function of one request the model of this program. To be called once, in an init function.
func Export(description Description, predict func(*Request) (*Prediction, error)) {
	ExportBatch(description, func(requests []*Request) []Result {
		results := make([]Result, len(requests))
		for index, request := range requests {
			results[index] = recovered(func() Result {
				prediction, err := predict(request)
				return Result{prediction, err}
			}, panicked)
		}
		return results
	})
}

// ExportBatch makes a function of many requests the model of this program: it gives exactly one result for each, in their
// order. The host chooses how many it hands over, so that an answer must not depend on its neighbours.
func ExportBatch(description Description, predict func([]*Request) []Result) {
	if exported != nil {
		panic("a program is one model, but two were exported")
	}
	exported = &model{description, func(requests []*Request) []Result {
		return recovered(func() []Result { return predict(requests) }, func(value any) []Result {
			// Whose fault it was is not known.
			return slices.Repeat([]Result{panicked(value)}, len(requests))
		})
	}}
}

// recovered gives what a function returns, or what its panic is made into.
func recovered[T any](run func() T, made func(value any) T) (result T) {
	defer func() {
		if value := recover(); value != nil {
			result = made(value)
		}
	}()
	return run()
}

// panicked is the refusal that a panic becomes.
func panicked(value any) Result {
	switch value := value.(type) {
	case error:
		return Result{Err: Failed("panic: " + value.Error())}
	case string:
		return Result{Err: Failed("panic: " + value)}
	}
	return Result{Err: Failed("panic with a value that is neither a text nor an error")}
}
