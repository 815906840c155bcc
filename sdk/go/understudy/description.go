package understudy

// AnyLength stands in a shape for a dimension of any length.
const AnyLength = -1

// A TensorType says what a tensor has to look like.
type TensorType struct {
	Name     string
	Datatype Datatype
	// Shape is the length of each dimension, AnyLength where any will do. Empty for a scalar.
	Shape []int32
}

// TypeOf gives the type of a tensor with elements of type T.
func TypeOf[T Element](name string, shape ...int32) TensorType {
	return TensorType{name, DatatypeOf[T](), shape}
}

// A Description says what a model takes and gives.
type Description struct {
	Inputs, Outputs []TensorType
	// BatchLimit is how many requests one call may bring at most; 0 leaves it to the host.
	BatchLimit uint32
	// Stateful says that a prediction may depend on earlier requests. The host then runs one instance alone.
	Stateful bool
}
