package understudy

// A Prediction is one answer.
type Prediction struct {
	// Outputs are those that the description promises. The host takes anything else for a fault.
	Outputs []*Tensor
	// Notes are remarks for people, recorded with the score.
	Notes []Note
}

// A Note is a remark for people.
type Note struct{ Name, Text string }

// NewPrediction makes a prediction of outputs.
func NewPrediction(outputs ...*Tensor) *Prediction {
	return &Prediction{Outputs: outputs}
}

// Note adds a remark.
func (p *Prediction) Note(name, text string) *Prediction {
	p.Notes = append(p.Notes, Note{name, text})
	return p
}

// Output gives the output with this name, for tests. The error says that there is none.
func (p *Prediction) Output(name string) (*Tensor, error) {
	for _, tensor := range p.Outputs {
		if tensor.Name == name {
			return tensor, nil
		}
	}
	return nil, Failed("output `" + name + "` is missing")
}
