package understudy

import (
	"reflect"
	"slices"
	"strings"
)

// ExportFunc makes a function of a struct the model of this program. The description is made from the types: each exported
// field of In is an input, each of Out an output. An error is a refusal.
//
//	Distance float32            `tensor:"distance"`     FP32[1]
//	Bias     float64            `tensor:"bias,scalar"`  FP64[]
//	History  []float64          `tensor:"history"`      FP64[-1]
//	Features [4]float32         `tensor:"features"`     FP32[4]
//	Rows     Matrix[float32]    `tensor:"rows"`         FP32[-1, -1]
//	Carrier  string             `tensor:"carrier"`      BYTES[1], text
//	Image    []byte             `tensor:"image"`        BYTES[1], blob
//
// It panics where a field is of another type or lacks its tag.
func ExportFunc[In, Out any](predict func(In) (Out, error)) {
	Export(Typed(predict))
}

// Typed makes of a function of a struct what [Export] takes, as [ExportFunc] does. For tests, and for models with notes.
func Typed[In, Out any](predict func(In) (Out, error)) (Description, func(*Request) (*Prediction, error)) {
	inputs, outputs := fieldsOf(reflect.TypeFor[In]()), fieldsOf(reflect.TypeFor[Out]())
	description := Description{Inputs: typesOf(inputs), Outputs: typesOf(outputs)}
	return description, func(request *Request) (*Prediction, error) {
		var in In
		value := reflect.ValueOf(&in).Elem()
		for _, field := range inputs {
			tensor, err := request.Input(field.Name)
			if err == nil {
				err = field.read(tensor, value.Field(field.index))
			}
			if err != nil {
				return nil, err
			}
		}
		out, err := predict(in)
		if err != nil {
			return nil, err
		}
		prediction := &Prediction{Outputs: make([]*Tensor, len(outputs))}
		value = reflect.ValueOf(&out).Elem()
		for index, field := range outputs {
			prediction.Outputs[index] = field.write(field.Name, value.Field(field.index))
		}
		return prediction, nil
	}
}

// A field is a field of a struct that stands for a tensor.
type field struct {
	TensorType
	index int
	form
}

// A form is how a Go type stands for a tensor.
type form struct {
	shape []int32
	read  func(*Tensor, reflect.Value) error
	write func(name string, value reflect.Value) *Tensor
}

func typesOf(fields []field) []TensorType {
	types := make([]TensorType, len(fields))
	for index, field := range fields {
		types[index] = field.TensorType
	}
	return types
}

func fieldsOf(structure reflect.Type) []field {
	if structure.Kind() != reflect.Struct {
		panic(structure.String() + " is no struct, expected one whose fields are tensors")
	}
	var fields []field
	for index := range structure.NumField() {
		of := structure.Field(index)
		if !of.IsExported() {
			continue
		}
		what := "field " + of.Name + " of " + structure.String()
		name, option, _ := strings.Cut(of.Tag.Get("tensor"), ",")
		if name == "" || option != "" && option != "scalar" {
			panic(what + " has the tag `" + string(of.Tag) + "`, expected one such as `tensor:\"distance\"`")
		}
		datatype, form := formOf(of.Type)
		if form.read == nil {
			panic(what + " is " + of.Type.String() + ", expected a type that stands for a tensor")
		}
		if option == "scalar" {
			if of.Type.Kind() == reflect.Array || !slices.Equal(form.shape, []int32{1}) {
				panic(what + " is " + of.Type.String() + ", expected one element, since its tag says scalar")
			}
			form.shape = nil
			write := form.write
			form.write = func(name string, value reflect.Value) *Tensor {
				tensor := write(name, value)
				tensor.Shape = nil
				return tensor
			}
		}
		fields = append(fields, field{TensorType{name, datatype, form.shape}, index, form})
	}
	return fields
}

// formOf gives the form of a type, without read where it has none.
func formOf(of reflect.Type) (Datatype, form) {
	for _, look := range []func(reflect.Type) (Datatype, form){
		// A []byte is one blob before it is many numbers.
		formAs[[]byte], formAs[string], formAs[bool], formAs[uint8], formAs[uint16], formAs[uint32], formAs[uint64], formAs[int8],
		formAs[int16], formAs[int32], formAs[int64], formAs[F16], formAs[BF16], formAs[float32], formAs[float64],
	} {
		if datatype, form := look(of); form.read != nil {
			return datatype, form
		}
	}
	return 0, form{}
}

// formAs gives the form of a type whose elements are of type T.
func formAs[T Element](of reflect.Type) (Datatype, form) {
	datatype := DatatypeOf[T]()
	switch {
	case of == reflect.TypeFor[T]():
		return datatype, form{[]int32{1}, reader(ScalarOf[T]), func(name string, value reflect.Value) *Tensor {
			return NewVector(name, value.Interface().(T))
		}}
	case of == reflect.TypeFor[[]T]():
		return datatype, form{[]int32{AnyLength}, reader(VectorOf[T]), func(name string, value reflect.Value) *Tensor {
			return NewVector(name, value.Interface().([]T)...)
		}}
	case of == reflect.TypeFor[Matrix[T]]():
		return datatype, form{[]int32{AnyLength, AnyLength}, reader(MatrixOf[T]), func(name string, value reflect.Value) *Tensor {
			matrix := value.Interface().(Matrix[T])
			return NewTensor(name, []uint32{uint32(matrix.RowCount), uint32(matrix.ColumnCount)}, matrix.elements)
		}}
	case of.Kind() == reflect.Array && of.Elem() == reflect.TypeFor[T]():
		return datatype, form{[]int32{int32(of.Len())}, readArray[T], func(name string, value reflect.Value) *Tensor {
			elements := make([]T, value.Len())
			reflect.Copy(reflect.ValueOf(elements), value)
			return NewVector(name, elements...)
		}}
	}
	return datatype, form{}
}

func reader[V any](read func(*Tensor, error) (V, error)) func(*Tensor, reflect.Value) error {
	return func(tensor *Tensor, into reflect.Value) error {
		value, err := read(tensor, nil)
		if err == nil {
			into.Set(reflect.ValueOf(value))
		}
		return err
	}
}

func readArray[T Element](tensor *Tensor, into reflect.Value) error {
	elements, err := VectorOf[T](tensor, nil)
	if err == nil && len(elements) != into.Len() {
		var expected strings.Builder
		expected.WriteString(DatatypeOf[T]().String())
		writeShape(&expected, []uint32{uint32(into.Len())})
		err = tensor.refuse(expected.String())
	}
	if err == nil {
		reflect.Copy(into, reflect.ValueOf(elements))
	}
	return err
}
