package understudy

import "math"

// An F16 is an IEEE 754 binary16 number, as its bits.
type F16 uint16

// A BF16 is a bfloat16 number, the upper half of a binary32, as its bits.
type BF16 uint16

const (
	signOfHalf      = 0x8000
	infinityOfF16   = 0x7c00
	nanOfF16        = 0x7e00
	nanOfBF16       = 0x7fc0
	infinity        = 0x7f80_0000 // Here and below: bits of a binary32.
	half            = 0x3f00_0000
	smallestNormal  = 0x3880_0000 // 2^-14, of F16.
	roundsToNothing = 0x477f_f000 // 65520, from where on F16 has only infinity.
	biasDifference  = 0x3800_0000 // 127 - 15, as an exponent.
)

// F16Of gives the number that is nearest to x, the even one of two that are equally near. What is too large becomes infinity.
func F16Of(x float32) F16 {
	bits := math.Float32bits(x)
	sign := F16(bits >> 16 & signOfHalf)
	magnitude := bits &^ (1 << 31)
	switch {
	case magnitude > infinity:
		return sign | nanOfF16
	case magnitude >= roundsToNothing:
		return sign | infinityOfF16
	case magnitude < smallestNormal:
		// The last place of 0.5 is worth as much as that of a subnormal F16, so that the addition rounds as it should.
		return sign | F16(math.Float32bits(math.Float32frombits(magnitude)+0.5)-half)
	}
	const dropped = 13
	rounded := magnitude + 1<<(dropped-1) - 1 + magnitude>>dropped&1
	return sign | F16((rounded-biasDifference)>>dropped)
}

// Float32 gives the same number in 32 bits.
func (f F16) Float32() float32 {
	sign := uint32(f&signOfHalf) << 16
	exponent, fraction := uint32(f>>10&0x1f), uint32(f&0x3ff)
	switch exponent {
	case 0:
		const smallest = 1.0 / (1 << 24)
		return math.Float32frombits(sign | math.Float32bits(float32(fraction)*smallest))
	case 0x1f:
		return math.Float32frombits(sign | infinity | fraction<<13)
	}
	return math.Float32frombits(sign | exponent<<23 + biasDifference | fraction<<13)
}

// BF16Of gives the number that is nearest to x, the even one of two that are equally near. What is too large becomes infinity.
func BF16Of(x float32) BF16 {
	bits := math.Float32bits(x)
	if bits&^(1<<31) > infinity {
		return BF16(bits>>16&signOfHalf) | nanOfBF16
	}
	return BF16((bits + 0x7fff + bits>>16&1) >> 16)
}

// Float32 gives the same number in 32 bits.
func (b BF16) Float32() float32 { return math.Float32frombits(uint32(b) << 16) }
