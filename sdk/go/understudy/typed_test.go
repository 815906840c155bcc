package understudy

import (
	"errors"
	"fmt"
	"reflect"
	"testing"
)

type everyForm struct {
	One      float32     `tensor:"one"`
	Scalar   float64     `tensor:"scalar,scalar"`
	Many     []int64     `tensor:"many"`
	Features [2]float32  `tensor:"features"`
	Rows     Matrix[F16] `tensor:"rows"`
	Name     string      `tensor:"name"`
	Image    []byte      `tensor:"image"`
	Images   [][]byte    `tensor:"images"`
	internal int
}

func everyInput() *Request {
	return NewRequest("1", NewVector[float32]("one", 1), NewScalar("scalar", 2.0), NewVector[int64]("many", 3, 4),
		NewVector[float32]("features", 5, 6), NewTensor("rows", []uint32{1, 2}, []F16{7, 8}), NewVector("name", "nine"),
		NewVector("image", []byte{10}), NewVector("images", []byte{11}, []byte{}))
}

func same(in everyForm) (everyForm, error) { return in, nil }

func TestADescriptionIsMadeFromTheFields(t *testing.T) {
	description, _ := Typed(same)
	expected := []TensorType{
		{"one", Fp32, []int32{1}}, {"scalar", Fp64, nil}, {"many", Int64, []int32{-1}}, {"features", Fp32, []int32{2}},
		{"rows", Fp16, []int32{-1, -1}}, {"name", Text, []int32{1}}, {"image", Blob, []int32{1}}, {"images", Blob, []int32{-1}},
	}
	if !reflect.DeepEqual(description.Inputs, expected) || !reflect.DeepEqual(description.Outputs, expected) {
		t.Errorf("found %v, expected %v", description.Inputs, expected)
	}
}

func TestEveryFieldIsReadAndWritten(t *testing.T) {
	_, predict := Typed(same)
	request := everyInput()
	prediction, err := predict(request)
	if err != nil || !reflect.DeepEqual(prediction.Outputs, request.Inputs) {
		t.Errorf("found %v (%v), expected %v", prediction, err, request.Inputs)
	}
}

func TestAFieldThatDoesNotFitIsRefused(t *testing.T) {
	_, predict := Typed(same)
	request := everyInput()
	request.Inputs[3] = NewVector[float32]("features", 5)
	_, err := predict(request)
	expect(t, refused(t, err), "tensor `features` is FP32[1], expected FP32[2]")
	_, err = predict(NewRequest("1"))
	expect(t, refused(t, err), "input `one` is missing; the inputs are: none")
}

func TestAStructThatIsNoDescriptionIsRefusedAtOnce(t *testing.T) {
	type noTag struct{ X float32 }
	type noTensor struct {
		X int `tensor:"x"`
	}
	type noScalar struct {
		X []float32 `tensor:"x,scalar"`
	}
	for _, check := range []struct {
		export func()
		expect string
	}{
		{func() { Typed(func(noTag) (everyForm, error) { return everyForm{}, nil }) },
			"field X of understudy.noTag has the tag ``, expected one such as `tensor:\"distance\"`"},
		{func() { Typed(func(noTensor) (everyForm, error) { return everyForm{}, nil }) },
			"field X of understudy.noTensor is int, expected a type that stands for a tensor"},
		{func() { Typed(func(noScalar) (everyForm, error) { return everyForm{}, nil }) },
			"field X of understudy.noScalar is []float32, expected one element, since its tag says scalar"},
		{func() { Typed(func(int) (everyForm, error) { return everyForm{}, nil }) },
			"int is no struct, expected one whose fields are tensors"},
	} {
		func() {
			defer func() { expect(t, recover(), any(check.expect)) }()
			check.export()
		}()
	}
}

func TestAnErrorIsARefusal(t *testing.T) {
	wrapped := fmt.Errorf("reading: %w", Abstain("no"))
	expect(t, *refusalOf(wrapped), Refusal{KindAbstain, "no"})
	expect(t, *refusalOf(errors.New("broken")), Refusal{KindFailed, "broken"})
	expect(t, InvalidInput("x").Error(), "invalid input: x")
}
