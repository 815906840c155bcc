// Package understudy is for writing models for Understudy in Go.
//
// A model is a WebAssembly component that says what tensors it takes and gives, and answers requests. It imports nothing: no
// file, no socket, no clock, no random number. The same request therefore always gets the same prediction.
//
// The short way is a function from a struct to a struct, whose fields are the tensors:
//
//	type Flight struct {
//		Carrier  string  `tensor:"carrier"`
//		Distance float32 `tensor:"distance"`
//	}
//
//	type Delay struct {
//		Delayed float64 `tensor:"delayed"`
//	}
//
//	func predict(flight Flight) (Delay, error) {
//		if flight.Carrier != "HA" {
//			return Delay{}, understudy.Abstain("carrier `" + flight.Carrier + "` was not in the training data")
//		}
//		return Delay{Delayed: 0.1 + 1e-5*float64(flight.Distance)}, nil
//	}
//
//	func init() { understudy.ExportFunc(predict) }
//
//	func main() {}
//
// [ExportFunc] says which fields there may be. [Export] takes a [Description] and a function of a [Request] instead, which
// can read any shape and add notes; [ExportBatch] a function of many requests, for a model that gains from that.
//
// # Datatypes
//
//	on the wire       in Go
//	BOOL              bool
//	UINT8 … UINT64    uint8, uint16, uint32, uint64
//	INT8 … INT64      int8, int16, int32, int64
//	FP16, BF16        F16, BF16, which have Float32
//	FP32, FP64        float32, float64
//	BYTES             string where it is UTF-8, []byte where it need not be
//
// # Refusals and faults
//
// An error that predict returns is a refusal: [InvalidInput], [Abstain] or [Failed] where it is a [*Refusal], and [Failed] with
// the text of the error where it is any other. A refusal costs nothing. A panic becomes a refusal of the kind [Failed] that says
// why, for each request that was handed over together. What Go cannot recover from (an endless loop, a stack or a memory that is
// used up) is a fault: the host throws the instance away and counts it against the model.
//
// A prediction must depend on nothing but its request. Mind that a loop over a map goes in another order each time: sort the keys
// where the order matters, as it does for a sum of floats. The time is that of the request; [time.Now] only counts its calls.
package understudy
