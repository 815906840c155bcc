package understudy

import "strings"

// A Request is one question.
type Request struct {
	// ID is unique on the endpoint.
	ID string
	// TimeUS is when the request was made, in microseconds since 1970-01-01T00:00:00Z.
	TimeUS uint64
	// Inputs are those that the model describes, in that order.
	Inputs []*Tensor
}

// NewRequest makes a request, for tests.
func NewRequest(id string, inputs ...*Tensor) *Request {
	return &Request{ID: id, Inputs: inputs}
}

// Input gives the input with this name. The error is a refusal that lists the inputs that there are; since the host hands
// over every input that a model describes, the name is missing from the description then.
func (r *Request) Input(name string) (*Tensor, error) {
	for _, tensor := range r.Inputs {
		if tensor.Name == name {
			return tensor, nil
		}
	}
	found := make([]string, len(r.Inputs))
	for index, tensor := range r.Inputs {
		found[index] = "`" + tensor.Name + "`"
	}
	if len(found) == 0 {
		found = append(found, "none")
	}
	return nil, InvalidInput("input `" + name + "` is missing; the inputs are: " + strings.Join(found, ", "))
}
