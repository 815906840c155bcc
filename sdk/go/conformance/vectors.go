package main

import (
	"slices"
	"strconv"
	"strings"

	"github.com/understudy/understudy/sdk/go/understudy"
)

// A vector is what the model does with one of the fifteen vectors, whatever the type of its elements.
type vector interface {
	name() string
	description() understudy.TensorType
	empty() *understudy.Tensor
	echo(*understudy.Request) (*understudy.Tensor, error)
	reverse(*understudy.Request) (*understudy.Tensor, error)
	// read reads an input with an accessor, and fills in what came of it.
	read(accessor string, input *understudy.Tensor, prediction *understudy.Prediction) error
}

var vectors = []vector{
	of[bool]("boolean"), of[uint8]("uint8"), of[uint16]("uint16"), of[uint32]("uint32"), of[uint64]("uint64"),
	of[int8]("int8"), of[int16]("int16"), of[int32]("int32"), of[int64]("int64"), of[understudy.F16]("fp16"),
	of[understudy.BF16]("bf16"), of[float32]("fp32"), of[float64]("fp64"), of[string]("text"), of[[]byte]("blob"),
}

// of is a vector of elements of type T, and holds its name.
type of[T understudy.Element] string

func (v of[T]) name() string { return string(v) }

func (v of[T]) description() understudy.TensorType {
	return understudy.TypeOf[T](v.name(), understudy.AnyLength)
}

func (v of[T]) empty() *understudy.Tensor { return understudy.NewVector[T](v.name()) }

func (v of[T]) echo(request *understudy.Request) (*understudy.Tensor, error) {
	elements, err := understudy.VectorOf[T](request.Input(v.name()))
	return understudy.NewVector(v.name(), elements...), err
}

func (v of[T]) reverse(request *understudy.Request) (*understudy.Tensor, error) {
	elements, err := understudy.VectorOf[T](request.Input(v.name()))
	return understudy.NewVector(v.name(), reversed(elements)...), err
}

func (v of[T]) read(accessor string, input *understudy.Tensor, prediction *understudy.Prediction) error {
	var elements []T
	var err error
	switch accessor {
	case "elements":
		elements, err = understudy.ElementsOf[T](input, nil)
	case "scalar":
		var element T
		element, err = understudy.ScalarOf[T](input, nil)
		elements = []T{element}
	case "vector":
		elements, err = understudy.VectorOf[T](input, nil)
	case "matrix":
		var matrix understudy.Matrix[T]
		matrix, err = understudy.MatrixOf[T](input, nil)
		for index := matrix.RowCount - 1; index >= 0; index-- {
			elements = append(elements, matrix.Row(index)...)
		}
		rows, columns := strconv.Itoa(matrix.RowCount)+" rows", strconv.Itoa(matrix.ColumnCount)+" columns"
		set(prediction, understudy.NewVector("report", rows, columns))
	}
	set(prediction, understudy.NewVector(v.name(), elements...))
	return err
}

func read(request *understudy.Request, prediction *understudy.Prediction) error {
	argument, err := understudy.ScalarOf[string](request.Input("argument"))
	if err != nil {
		return err
	}
	words := strings.SplitN(argument, " ", 3)
	if len(words) == 3 && slices.Contains([]string{"elements", "scalar", "vector", "matrix"}, words[0]) {
		for _, vector := range vectors {
			if vector.name() != words[1] {
				continue
			}
			input, err := request.Input(words[2])
			if err != nil {
				return err
			}
			return vector.read(words[0], input, prediction)
		}
	}
	return understudy.InvalidInput("argument is `" + argument + "`, expected ACCESSOR DATATYPE INPUT")
}

// reversed gives the same elements, the last first.
func reversed[T any](elements []T) []T {
	elements = slices.Clone(elements)
	slices.Reverse(elements)
	return elements
}
