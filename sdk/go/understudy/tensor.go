package understudy

import (
	"iter"
	"strconv"
	"strings"
)

// A Tensor is a named array of any rank, its elements flat in row-major order.
type Tensor struct {
	// Name is unique among the inputs of a request or the outputs of a prediction.
	Name string
	// Shape is the length of each dimension; empty for a scalar, which has one element.
	Shape []uint32

	// A []T of an Element T.
	elements any
}

// NewTensor makes a tensor of any shape.
func NewTensor[T Element](name string, shape []uint32, elements []T) *Tensor {
	return &Tensor{Name: name, Shape: shape, elements: elements}
}

// NewVector makes a tensor with one dimension, as long as there are elements.
func NewVector[T Element](name string, elements ...T) *Tensor {
	return NewTensor(name, []uint32{uint32(len(elements))}, elements)
}

// NewScalar makes a tensor without dimensions, whose shape is [].
func NewScalar[T Element](name string, element T) *Tensor {
	return NewTensor(name, nil, []T{element})
}

// Datatype gives the type of the elements.
func (t *Tensor) Datatype() Datatype { return datatypeOf(t.elements) }

// String says what the tensor is, and none of its elements.
func (t *Tensor) String() string {
	var text strings.Builder
	text.WriteString("tensor `" + t.Name + "` is " + t.Datatype().String())
	writeShape(&text, t.Shape)
	return text.String()
}

func writeShape(text *strings.Builder, shape []uint32) {
	text.WriteByte('[')
	for index, length := range shape {
		if index > 0 {
			text.WriteString(", ")
		}
		text.WriteString(strconv.FormatUint(uint64(length), 10))
	}
	text.WriteByte(']')
}

func (t *Tensor) refuse(expected string) *Refusal {
	return InvalidInput(t.String() + ", expected " + expected)
}

// ElementsOf gives all elements in row-major order, whatever the shape. They are not copied.
//
// Like the functions below it takes what [Request.Input] gives, an error included, so that one line reads an input:
//
//	features, err := understudy.VectorOf[float32](request.Input("features"))
//
// The error is a refusal where the elements are of another type, or not as many as the shape asks for.
func ElementsOf[T Element](t *Tensor, err error) ([]T, error) {
	if err != nil {
		return nil, err
	}
	elements, ok := t.elements.([]T)
	if !ok {
		return nil, t.refuse(DatatypeOf[T]().String())
	}
	if !holds(t.Shape, len(elements)) {
		return nil, InvalidInput(t.String() + " but holds " + strconv.Itoa(len(elements)) + " elements")
	}
	return elements, nil
}

// holds says whether a shape asks for so many elements.
func holds(shape []uint32, count int) bool {
	product := uint64(1)
	for _, length := range shape {
		if length != 0 && product > (1<<64-1)/uint64(length) {
			return false
		}
		product *= uint64(length)
	}
	return product == uint64(count)
}

// ScalarOf gives the one element, of a tensor of shape [], [1], [1, 1] and so on.
func ScalarOf[T Element](t *Tensor, err error) (T, error) {
	elements, err := ElementsOf[T](t, err)
	if err == nil && len(elements) != 1 {
		err = t.refuse(DatatypeOf[T]().String() + " with one element")
	}
	if err != nil {
		var none T
		return none, err
	}
	return elements[0], nil
}

// VectorOf gives the elements of a tensor with one dimension. They are not copied.
func VectorOf[T Element](t *Tensor, err error) ([]T, error) {
	elements, err := ElementsOf[T](t, err)
	if err == nil && len(t.Shape) != 1 {
		err = t.refuse(DatatypeOf[T]().String() + " with one dimension")
	}
	if err != nil {
		return nil, err
	}
	return elements, nil
}

// MatrixOf gives the elements of a tensor with two dimensions, as rows. They are not copied.
func MatrixOf[T Element](t *Tensor, err error) (Matrix[T], error) {
	elements, err := ElementsOf[T](t, err)
	if err == nil && len(t.Shape) != 2 {
		err = t.refuse(DatatypeOf[T]().String() + " with two dimensions")
	}
	if err != nil {
		return Matrix[T]{}, err
	}
	return Matrix[T]{int(t.Shape[0]), int(t.Shape[1]), elements}, nil
}

// A Matrix is the elements of a tensor with two dimensions.
type Matrix[T Element] struct {
	RowCount, ColumnCount int

	elements []T
}

// NewMatrix makes a matrix of as many elements as rows and columns ask for, for a field of a struct. It panics where there are
// more or fewer.
func NewMatrix[T Element](rows, columns int, elements []T) Matrix[T] {
	if rows*columns != len(elements) {
		panic(strconv.Itoa(len(elements)) + " elements are no matrix of " + strconv.Itoa(rows) + " rows and " + strconv.Itoa(columns) + " columns")
	}
	return Matrix[T]{rows, columns, elements}
}

// Row gives the row at an index, counted from 0. It panics where there is none.
func (m Matrix[T]) Row(index int) []T {
	return m.elements[index*m.ColumnCount:][:m.ColumnCount:m.ColumnCount]
}

// Rows gives the rows in their order, each with its index.
func (m Matrix[T]) Rows() iter.Seq2[int, []T] {
	return func(yield func(int, []T) bool) {
		for index := range m.RowCount {
			if !yield(index, m.Row(index)) {
				return
			}
		}
	}
}
