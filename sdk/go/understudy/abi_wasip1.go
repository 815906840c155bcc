package understudy

import "unsafe"

// The canonical ABI of the contract, by hand: what the host writes into the memory of the guest, and what it reads there.
//
// What the host wrote is not copied. It lies in memory of Go's heap, which lives as long as something of the request does.
// Pointers in memory have 32 bits here, while those of Go have 64, so none of these structs has a Go pointer in it.

// An abiList is a list or a string.
type abiList struct{ pointer, length uint32 }

// An abiTensor is a tensor; tag is the case of its contents, whose order is that of the datatypes.
type abiTensor struct {
	name, shape abiList
	tag         uint8
	elements    abiList
}

type abiRequest struct {
	id     abiList
	timeUS uint64
	inputs abiList
}

type abiTensorType struct {
	name     abiList
	datatype uint8
	shape    abiList
}

type abiDescription struct {
	inputs, outputs abiList
	batchLimit      uint32
	stateless       bool
}

type abiNote struct{ name, text abiList }

// An abiResult is a prediction or a refusal, and words are the two lists of the one, or kind and message of the other.
type abiResult struct {
	isRefusal bool
	words     [4]uint32
}

// What the host has written for the call that is about to come.
var received []unsafe.Pointer

// What the host is about to read. It holds on to everything that the addresses in it stand for.
var returned []unsafe.Pointer

// answered is where the host finds what a function returned.
var answered abiList

//go:wasmexport cabi_realloc
func reallocate(old, oldSize, align, size uint32) uint32 {
	if size == 0 {
		return align
	}
	memory := unsafe.Pointer(unsafe.SliceData(make([]uint64, (uint64(size)+7)/8)))
	if old != 0 {
		copy(unsafe.Slice((*byte)(memory), size), lift[byte](abiList{old, oldSize}))
	}
	received = append(received, memory)
	return address(memory)
}

//go:wasmexport understudy:model/predictor@0.1.0#describe
func describe() uint32 {
	description := &abiDescription{
		inputs:     lower(lowerTypes(exported.description.Inputs)),
		outputs:    lower(lowerTypes(exported.description.Outputs)),
		batchLimit: exported.description.BatchLimit,
		stateless:  !exported.description.Stateful,
	}
	return lower([]abiDescription{*description}).pointer
}

//go:wasmexport cabi_post_understudy:model/predictor@0.1.0#describe
func afterDescribe(uint32) { forget(&returned) }

//go:wasmexport understudy:model/predictor@0.1.0#predict
func predict(pointer, length uint32) uint32 {
	requests := liftRequests(abiList{pointer, length})
	// From here on the requests hold what they need.
	forget(&received)
	results := exported.predict(requests)
	lowered := make([]abiResult, len(results))
	for index, result := range results {
		lowered[index] = lowerResult(result)
	}
	answered = lower(lowered)
	return address(unsafe.Pointer(&answered))
}

//go:wasmexport cabi_post_understudy:model/predictor@0.1.0#predict
func afterPredict(uint32) { forget(&returned) }

// forget empties a list and keeps its room.
func forget(list *[]unsafe.Pointer) {
	clear(*list)
	*list = (*list)[:0]
}

func address(pointer unsafe.Pointer) uint32 { return uint32(uintptr(pointer)) }

// lift makes a slice of what lies at an address. The collector knows the slice for a part of the memory that was received.
func lift[T any](list abiList) []T {
	if list.length == 0 {
		return nil
	}
	wide := uintptr(list.pointer)
	return unsafe.Slice((*T)(*(*unsafe.Pointer)(unsafe.Pointer(&wide))), list.length)
}

func liftText(list abiList) string {
	bytes := lift[byte](list)
	return unsafe.String(unsafe.SliceData(bytes), len(bytes))
}

func liftRequests(list abiList) []*Request {
	requests := make([]*Request, list.length)
	for index, request := range lift[abiRequest](list) {
		inputs := make([]*Tensor, request.inputs.length)
		tensors := make([]Tensor, request.inputs.length)
		for position, input := range lift[abiTensor](request.inputs) {
			tensors[position] = Tensor{liftText(input.name), lift[uint32](input.shape), liftElements(input)}
			inputs[position] = &tensors[position]
		}
		requests[index] = &Request{liftText(request.id), request.timeUS, inputs}
	}
	return requests
}

func liftElements(tensor abiTensor) any {
	switch list := tensor.elements; Datatype(tensor.tag) {
	case Bool:
		return lift[bool](list)
	case Uint8:
		return lift[uint8](list)
	case Uint16:
		return lift[uint16](list)
	case Uint32:
		return lift[uint32](list)
	case Uint64:
		return lift[uint64](list)
	case Int8:
		return lift[int8](list)
	case Int16:
		return lift[int16](list)
	case Int32:
		return lift[int32](list)
	case Int64:
		return lift[int64](list)
	case Fp16:
		return lift[F16](list)
	case Bf16:
		return lift[BF16](list)
	case Fp32:
		return lift[float32](list)
	case Fp64:
		return lift[float64](list)
	case Text:
		texts := make([]string, list.length)
		for index, text := range lift[abiList](list) {
			texts[index] = liftText(text)
		}
		return texts
	case Blob:
		blobs := make([][]byte, list.length)
		for index, blob := range lift[abiList](list) {
			blobs[index] = lift[byte](blob)
		}
		return blobs
	}
	panic("invariant: a tensor has one of fifteen sorts of contents")
}

// lower lets the host read elements where they are.
func lower[T any](elements []T) abiList {
	if len(elements) == 0 {
		return abiList{}
	}
	pointer := unsafe.Pointer(unsafe.SliceData(elements))
	returned = append(returned, pointer)
	return abiList{address(pointer), uint32(len(elements))}
}

func lowerText(text string) abiList {
	return lower(unsafe.Slice(unsafe.StringData(text), len(text)))
}

func lowerTypes(types []TensorType) []abiTensorType {
	lowered := make([]abiTensorType, len(types))
	for index, t := range types {
		lowered[index] = abiTensorType{lowerText(t.Name), uint8(t.Datatype), lower(t.Shape)}
	}
	return lowered
}

func lowerResult(result Result) abiResult {
	if result.Err != nil {
		refusal := refusalOf(result.Err)
		message := lowerText(refusal.Message)
		return abiResult{true, [4]uint32{uint32(refusal.Kind), message.pointer, message.length}}
	}
	if result.Prediction == nil {
		panic("the model gave neither a prediction nor an error")
	}
	outputs := make([]abiTensor, len(result.Prediction.Outputs))
	for index, output := range result.Prediction.Outputs {
		outputs[index] = lowerTensor(output)
	}
	notes := make([]abiNote, len(result.Prediction.Notes))
	for index, note := range result.Prediction.Notes {
		notes[index] = abiNote{lowerText(note.Name), lowerText(note.Text)}
	}
	first, last := lower(outputs), lower(notes)
	return abiResult{false, [4]uint32{first.pointer, first.length, last.pointer, last.length}}
}

func lowerTensor(tensor *Tensor) abiTensor {
	lowered := abiTensor{name: lowerText(tensor.Name), shape: lower(tensor.Shape), tag: uint8(tensor.Datatype())}
	lowered.elements = lowerElements(tensor.elements)
	return lowered
}

func lowerElements(elements any) abiList {
	switch elements := elements.(type) {
	case []bool:
		return lower(elements)
	case []uint8:
		return lower(elements)
	case []uint16:
		return lower(elements)
	case []uint32:
		return lower(elements)
	case []uint64:
		return lower(elements)
	case []int8:
		return lower(elements)
	case []int16:
		return lower(elements)
	case []int32:
		return lower(elements)
	case []int64:
		return lower(elements)
	case []F16:
		return lower(elements)
	case []BF16:
		return lower(elements)
	case []float32:
		return lower(elements)
	case []float64:
		return lower(elements)
	case []string:
		texts := make([]abiList, len(elements))
		for index, text := range elements {
			texts[index] = lowerText(text)
		}
		return lower(texts)
	case [][]byte:
		blobs := make([]abiList, len(elements))
		for index, blob := range elements {
			blobs[index] = lower(blob)
		}
		return lower(blobs)
	}
	panic("invariant: the elements of a tensor are a slice of one of the fifteen types")
}
