// Command conformance is the conformance model in Go: it does what sdk/conformance/README.md says.
package main

import (
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/understudy/understudy/sdk/go/understudy"
)

func init() { understudy.ExportBatch(description(), predict) }

func main() {}

func description() understudy.Description {
	inputs := []understudy.TensorType{understudy.TypeOf[string]("mode", 1), understudy.TypeOf[string]("argument", 1)}
	var outputs []understudy.TensorType
	for _, vector := range vectors {
		inputs = append(inputs, vector.description())
		outputs = append(outputs, vector.description())
	}
	const anyLength = understudy.AnyLength
	return understudy.Description{
		Inputs: append(inputs,
			understudy.TypeOf[float64]("scalar"),
			understudy.TypeOf[float32]("matrix", anyLength, anyLength),
			understudy.TypeOf[int32]("cube", 2, anyLength, 2)),
		Outputs: append(outputs,
			understudy.TypeOf[float64]("scalar"),
			understudy.TypeOf[float32]("matrix", anyLength, anyLength),
			understudy.TypeOf[int32]("cube", anyLength, anyLength, anyLength),
			understudy.TypeOf[string]("report", anyLength)),
		BatchLimit: 100,
	}
}

func predict(requests []*understudy.Request) []understudy.Result {
	results := make([]understudy.Result, len(requests))
	for index, request := range requests {
		results[index].Prediction, results[index].Err = answer(request)
	}
	return results
}

// modes are what the model can be asked for. Each fills in some of the outputs.
var modes = map[string]func(*understudy.Request, *understudy.Prediction) error{
	"echo":    echo,
	"reverse": reverse,
	"sum":     sum,
	"halves":  halves,
	"unicode": unicode,
	"read":    read,
	"notes":   notes,
	"refuse":  refuse,
	"request": report,
	"break":   breaks,
}

func answer(request *understudy.Request) (*understudy.Prediction, error) {
	mode, err := understudy.ScalarOf[string](request.Input("mode"))
	if err != nil {
		return nil, err
	}
	run, known := modes[mode]
	if !known {
		return nil, understudy.InvalidInput("mode is `" + mode + "`, expected `echo`, `reverse`, `sum`, `halves`, " +
			"`unicode`, `read`, `notes`, `refuse`, `request` or `break`")
	}
	prediction := empty()
	if err := run(request, prediction); err != nil {
		return nil, err
	}
	return prediction, nil
}

// empty gives every output without elements.
func empty() *understudy.Prediction {
	prediction := understudy.NewPrediction()
	for _, vector := range vectors {
		prediction.Outputs = append(prediction.Outputs, vector.empty())
	}
	prediction.Outputs = append(prediction.Outputs,
		understudy.NewScalar("scalar", 0.0),
		understudy.NewTensor[float32]("matrix", []uint32{0, 0}, nil),
		understudy.NewTensor[int32]("cube", []uint32{0, 0, 0}, nil),
		understudy.NewVector[string]("report"))
	return prediction
}

// set replaces outputs of a prediction by those of the same names.
func set(prediction *understudy.Prediction, tensors ...*understudy.Tensor) {
	for _, tensor := range tensors {
		index := slices.IndexFunc(prediction.Outputs, func(output *understudy.Tensor) bool { return output.Name == tensor.Name })
		prediction.Outputs[index] = tensor
	}
}

func echo(request *understudy.Request, prediction *understudy.Prediction) error {
	for _, vector := range vectors {
		tensor, err := vector.echo(request)
		if err != nil {
			return err
		}
		set(prediction, tensor)
	}
	scalar, err := understudy.ScalarOf[float64](request.Input("scalar"))
	if err != nil {
		return err
	}
	matrix, err := request.Input("matrix")
	if err != nil {
		return err
	}
	singles, err := understudy.ElementsOf[float32](matrix, nil)
	if err != nil {
		return err
	}
	cube, err := request.Input("cube")
	if err != nil {
		return err
	}
	integers, err := understudy.ElementsOf[int32](cube, nil)
	if err != nil {
		return err
	}
	set(prediction,
		understudy.NewScalar("scalar", scalar),
		understudy.NewTensor("matrix", matrix.Shape, singles),
		understudy.NewTensor("cube", cube.Shape, integers))
	return nil
}

func reverse(request *understudy.Request, prediction *understudy.Prediction) error {
	for _, vector := range vectors {
		tensor, err := vector.reverse(request)
		if err != nil {
			return err
		}
		set(prediction, tensor)
	}
	scalar, err := understudy.ScalarOf[float64](request.Input("scalar"))
	if err != nil {
		return err
	}
	matrix, err := understudy.MatrixOf[float32](request.Input("matrix"))
	if err != nil {
		return err
	}
	transposed := make([]float32, 0, matrix.RowCount*matrix.ColumnCount)
	for column := range matrix.ColumnCount {
		for _, row := range matrix.Rows() {
			transposed = append(transposed, row[column])
		}
	}
	cube, err := request.Input("cube")
	if err != nil {
		return err
	}
	integers, err := understudy.ElementsOf[int32](cube, nil)
	if err != nil {
		return err
	}
	set(prediction,
		understudy.NewScalar("scalar", -scalar),
		understudy.NewTensor("matrix", []uint32{uint32(matrix.ColumnCount), uint32(matrix.RowCount)}, transposed),
		understudy.NewTensor("cube", reversed(cube.Shape), reversed(integers)))
	return nil
}

func sum(request *understudy.Request, prediction *understudy.Prediction) error {
	doubles, err := understudy.VectorOf[float64](request.Input("fp64"))
	if err != nil {
		return err
	}
	total := 0.0
	for _, double := range doubles {
		total += double
	}
	matrix, err := understudy.MatrixOf[float32](request.Input("matrix"))
	if err != nil {
		return err
	}
	rows := make([]float64, matrix.RowCount)
	for index, row := range matrix.Rows() {
		for _, single := range row {
			rows[index] += float64(single)
		}
	}
	integers, err := understudy.VectorOf[int32](request.Input("int32"))
	if err != nil {
		return err
	}
	whole := int64(0)
	for _, integer := range integers {
		whole += int64(integer)
	}
	blobs, err := understudy.VectorOf[[]byte](request.Input("blob"))
	if err != nil {
		return err
	}
	bytes := uint64(0)
	for _, blob := range blobs {
		bytes += uint64(len(blob))
	}
	set(prediction,
		understudy.NewScalar("scalar", total),
		understudy.NewVector("fp64", rows...),
		understudy.NewVector("int64", whole),
		understudy.NewVector("uint64", bytes))
	return nil
}

func halves(request *understudy.Request, prediction *understudy.Prediction) error {
	var wide []float32
	halves, err := understudy.VectorOf[understudy.F16](request.Input("fp16"))
	if err != nil {
		return err
	}
	for _, half := range halves {
		wide = append(wide, half.Float32())
	}
	brains, err := understudy.VectorOf[understudy.BF16](request.Input("bf16"))
	if err != nil {
		return err
	}
	for _, brain := range brains {
		wide = append(wide, brain.Float32())
	}
	singles, err := understudy.VectorOf[float32](request.Input("fp32"))
	if err != nil {
		return err
	}
	narrow, narrowBrains := make([]understudy.F16, len(singles)), make([]understudy.BF16, len(singles))
	for index, single := range singles {
		narrow[index], narrowBrains[index] = understudy.F16Of(single), understudy.BF16Of(single)
	}
	set(prediction,
		understudy.NewVector("fp32", wide...),
		understudy.NewVector("fp16", narrow...),
		understudy.NewVector("bf16", narrowBrains...))
	return nil
}

func unicode(request *understudy.Request, prediction *understudy.Prediction) error {
	texts, err := understudy.VectorOf[string](request.Input("text"))
	if err != nil {
		return err
	}
	bytes, lengths := make([][]byte, len(texts)), make([]uint32, len(texts))
	codePoints, likeTheFirst := make([]uint64, len(texts)), make([]bool, len(texts))
	for index, text := range texts {
		bytes[index], lengths[index] = []byte(text), uint32(len(text))
		codePoints[index], likeTheFirst[index] = uint64(utf8.RuneCountInString(text)), text == texts[0]
	}
	set(prediction,
		understudy.NewVector("text", strings.Join(texts, "|")),
		understudy.NewVector("blob", bytes...),
		understudy.NewVector("uint32", lengths...),
		understudy.NewVector("uint64", codePoints...),
		understudy.NewVector("boolean", likeTheFirst...))
	return nil
}

func notes(request *understudy.Request, prediction *understudy.Prediction) error {
	texts, err := understudy.VectorOf[string](request.Input("text"))
	if err != nil {
		return err
	}
	for pair := range slices.Chunk(texts, 2) {
		prediction.Note(pair[0], strings.Join(pair[1:], ""))
	}
	return nil
}

func breaks(request *understudy.Request, _ *understudy.Prediction) error {
	argument, err := understudy.ScalarOf[string](request.Input("argument"))
	if err != nil {
		return err
	}
	texts, err := understudy.VectorOf[string](request.Input("text"))
	if err != nil {
		return err
	}
	switch argument {
	case "throw":
		panic(strings.Join(texts[:min(1, len(texts))], ""))
	case "loop":
		for {
		}
	}
	return understudy.InvalidInput("argument is `" + argument + "`, expected `throw` or `loop`")
}

func refuse(request *understudy.Request, _ *understudy.Prediction) error {
	argument, err := understudy.ScalarOf[string](request.Input("argument"))
	if err != nil {
		return err
	}
	texts, err := understudy.VectorOf[string](request.Input("text"))
	if err != nil {
		return err
	}
	message := strings.Join(texts[:min(1, len(texts))], "")
	switch argument {
	case "invalid-input":
		return understudy.InvalidInput(message)
	case "abstain":
		return understudy.Abstain(message)
	case "failed":
		return understudy.Failed(message)
	}
	return understudy.InvalidInput("argument is `" + argument + "`, expected `invalid-input`, `abstain` or `failed`")
}

func report(request *understudy.Request, prediction *understudy.Prediction) error {
	lines := []string{request.ID, strconv.FormatUint(request.TimeUS, 10)}
	for _, input := range request.Inputs {
		lines = append(lines, input.String())
	}
	set(prediction, understudy.NewVector("report", lines...))
	return nil
}
