package understudy

import "errors"

// A RefusalKind says why a model does not answer.
type RefusalKind uint8

// The kinds of refusals.
const (
	// KindInvalidInput says that the request makes no sense to the model.
	KindInvalidInput RefusalKind = iota
	// KindAbstain says that the model would rather not answer.
	KindAbstain
	// KindFailed says that the model tried and could not.
	KindFailed
)

// A Refusal is a model's polite no, and an error like any other.
type Refusal struct {
	Kind    RefusalKind
	Message string
}

// InvalidInput refuses a request that makes no sense. Say which input, what was found, and what was expected.
func InvalidInput(message string) *Refusal { return &Refusal{KindInvalidInput, message} }

// Abstain refuses to answer, because the request is outside of what the model was trained on, say.
func Abstain(message string) *Refusal { return &Refusal{KindAbstain, message} }

// Failed says that the model tried and could not.
func Failed(message string) *Refusal { return &Refusal{KindFailed, message} }

// Error gives the kind and the message.
func (r *Refusal) Error() string {
	return [...]string{"invalid input: ", "abstained: ", "failed: "}[r.Kind] + r.Message
}

// refusalOf gives the refusal that an error is, or is made into.
func refusalOf(err error) *Refusal {
	var refusal *Refusal
	if errors.As(err, &refusal) {
		return refusal
	}
	return Failed(err.Error())
}
