package understudy

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
			results[index].Prediction, results[index].Err = predict(request)
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
	exported = &model{description, predict}
}
