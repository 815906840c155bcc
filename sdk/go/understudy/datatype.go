package understudy

// A Datatype is the type of a tensor's elements.
type Datatype uint8

// The datatypes, in the order of the contract.
const (
	Bool Datatype = iota
	Uint8
	Uint16
	Uint32
	Uint64
	Int8
	Int16
	Int32
	Int64
	Fp16
	Bf16
	Fp32
	Fp64
	Text
	Blob
)

var datatypeNames = [...]string{
	"BOOL", "UINT8", "UINT16", "UINT32", "UINT64", "INT8", "INT16", "INT32", "INT64", "FP16", "BF16", "FP32", "FP64",
	"BYTES (text)", "BYTES (blob)",
}

// String gives the name on the wire; the two kinds of BYTES are told apart.
func (d Datatype) String() string { return datatypeNames[d] }

// An Element is a Go type that stands for one datatype.
type Element interface {
	bool | uint8 | uint16 | uint32 | uint64 | int8 | int16 | int32 | int64 | F16 | BF16 | float32 | float64 | string | []byte
}

// DatatypeOf gives the datatype that T stands for.
func DatatypeOf[T Element]() Datatype {
	var none []T
	return datatypeOf(none)
}

// datatypeOf gives the datatype of a slice of elements.
func datatypeOf(elements any) Datatype {
	switch elements.(type) {
	case []bool:
		return Bool
	case []uint8:
		return Uint8
	case []uint16:
		return Uint16
	case []uint32:
		return Uint32
	case []uint64:
		return Uint64
	case []int8:
		return Int8
	case []int16:
		return Int16
	case []int32:
		return Int32
	case []int64:
		return Int64
	case []F16:
		return Fp16
	case []BF16:
		return Bf16
	case []float32:
		return Fp32
	case []float64:
		return Fp64
	case []string:
		return Text
	case [][]byte:
		return Blob
	}
	panic("invariant: the elements of a tensor are a slice of one of the fifteen types")
}
