package understudy

import (
	"errors"
	"math"
	"slices"
	"testing"
)

// refused gives the message of a refusal of the input.
func refused(t *testing.T, err error) string {
	t.Helper()
	var refusal *Refusal
	if !errors.As(err, &refusal) || refusal.Kind != KindInvalidInput {
		t.Fatalf("found %v, expected a refusal of the input", err)
	}
	return refusal.Message
}

func expect[T comparable](t *testing.T, found, expected T) {
	t.Helper()
	if found != expected {
		t.Errorf("found %v, expected %v", found, expected)
	}
}

func isRead[T Element](t *testing.T, datatype Datatype, elements []T, equal func([]T, []T) bool) {
	t.Helper()
	tensor := NewVector("x", elements...)
	expect(t, tensor.Datatype(), datatype)
	found, err := VectorOf[T](tensor, nil)
	if err != nil || !equal(found, elements) {
		t.Errorf("%v: found %v (%v), expected %v", datatype, found, err, elements)
	}
}

func TestEveryDatatypeIsReadAsItWasWritten(t *testing.T) {
	isRead(t, Bool, []bool{true, false}, slices.Equal)
	isRead(t, Uint8, []uint8{1, math.MaxUint8}, slices.Equal)
	isRead(t, Uint16, []uint16{1, math.MaxUint16}, slices.Equal)
	isRead(t, Uint32, []uint32{1, math.MaxUint32}, slices.Equal)
	isRead(t, Uint64, []uint64{1, math.MaxUint64}, slices.Equal)
	isRead(t, Int8, []int8{1, math.MinInt8}, slices.Equal)
	isRead(t, Int16, []int16{1, math.MinInt16}, slices.Equal)
	isRead(t, Int32, []int32{1, math.MinInt32}, slices.Equal)
	isRead(t, Int64, []int64{1, math.MinInt64}, slices.Equal)
	isRead(t, Fp16, []F16{F16Of(1), 0x7bff}, slices.Equal)
	isRead(t, Bf16, []BF16{BF16Of(1), 0x7f7f}, slices.Equal)
	isRead(t, Fp32, []float32{1, math.MaxFloat32}, slices.Equal)
	isRead(t, Fp64, []float64{1, math.MaxFloat64}, slices.Equal)
	isRead(t, Text, []string{"a", ""}, slices.Equal)
	isRead(t, Blob, [][]byte{{0xff}, {}}, func(a, b [][]byte) bool { return slices.EqualFunc(a, b, slices.Equal) })
}

func TestAScalarIsOneElementOfAnyRank(t *testing.T) {
	for _, shape := range [][]uint32{nil, {1}, {1, 1}} {
		found, err := ScalarOf[int32](NewTensor("x", shape, []int32{3}), nil)
		expect(t, err, nil)
		expect(t, found, 3)
	}
}

func TestAMatrixIsReadByRows(t *testing.T) {
	matrix, err := MatrixOf[int32](NewTensor("x", []uint32{2, 3}, []int32{1, 2, 3, 4, 5, 6}), nil)
	expect(t, err, nil)
	expect(t, matrix.RowCount, 2)
	expect(t, matrix.ColumnCount, 3)
	var sums []int32
	for _, row := range matrix.Rows() {
		sums = append(sums, row[0]+row[1]+row[2])
	}
	if !slices.Equal(sums, []int32{6, 15}) {
		t.Errorf("found %v, expected the sums 6 and 15", sums)
	}
	empty, err := MatrixOf[float32](NewTensor[float32]("x", []uint32{2, 0}, nil), nil)
	expect(t, err, nil)
	expect(t, len(empty.Row(1)), 0)
}

func TestAWrongDatatypeIsRefusedWithWhatWasFoundAndExpected(t *testing.T) {
	tensor := NewVector("distance", 1.0)
	_, err := ScalarOf[float32](tensor, nil)
	expect(t, refused(t, err), "tensor `distance` is FP64[1], expected FP32")
	_, err = ScalarOf[string](tensor, nil)
	expect(t, refused(t, err), "tensor `distance` is FP64[1], expected BYTES (text)")
}

func TestAWrongShapeIsRefusedWithWhatWasFoundAndExpected(t *testing.T) {
	tensor := NewTensor("x", []uint32{2, 2}, []float64{1, 2, 3, 4})
	_, err := ScalarOf[float64](tensor, nil)
	expect(t, refused(t, err), "tensor `x` is FP64[2, 2], expected FP64 with one element")
	_, err = VectorOf[float64](tensor, nil)
	expect(t, refused(t, err), "tensor `x` is FP64[2, 2], expected FP64 with one dimension")
	_, err = MatrixOf[bool](NewVector("x", true), nil)
	expect(t, refused(t, err), "tensor `x` is BOOL[1], expected BOOL with two dimensions")
}

func TestAShapeThatDoesNotFitTheElementsIsRefused(t *testing.T) {
	_, err := VectorOf[float64](NewTensor("x", []uint32{3}, []float64{1, 2}), nil)
	expect(t, refused(t, err), "tensor `x` is FP64[3] but holds 2 elements")
	const most = math.MaxUint32
	_, err = ElementsOf[float64](NewTensor("x", []uint32{most, most, most}, []float64{1}), nil)
	expect(t, refused(t, err), "tensor `x` is FP64[4294967295, 4294967295, 4294967295] but holds 1 elements")
}

func TestAMissingInputIsRefusedWithTheNamesThatThereAre(t *testing.T) {
	_, err := ScalarOf[float32](NewRequest("7", NewVector("carrier", "HA"), NewVector("hour", 9.0)).Input("distance"))
	expect(t, refused(t, err), "input `distance` is missing; the inputs are: `carrier`, `hour`")
	_, err = NewRequest("7").Input("distance")
	expect(t, refused(t, err), "input `distance` is missing; the inputs are: none")
}

func TestEveryHalfSurvivesBeingWidened(t *testing.T) {
	for bits := range 1 << 16 {
		isNaN := bits&0x7fff > infinityOfF16
		if half := F16(bits); isNaN {
			expect(t, math.IsNaN(float64(half.Float32())), true)
		} else {
			expect(t, F16Of(half.Float32()), half)
		}
		if half := BF16(bits); bits&0x7fff <= 0x7f80 {
			expect(t, BF16Of(half.Float32()), half)
		}
	}
	expect(t, F16Of(1.5), 0x3e00)
	expect(t, F16Of(65519.996), 0x7bff)
	expect(t, F16Of(65520), infinityOfF16)
	expect(t, BF16Of(1.5), 0x3fc0)
	expect(t, F16Of(float32(math.NaN())), nanOfF16)
	expect(t, BF16Of(float32(math.NaN())), nanOfBF16)
}
