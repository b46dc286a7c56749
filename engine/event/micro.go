package event

import (
	"errors"
	"math"
	"strconv"
)

// Micro is a decimal quantity in millionths: money in micro-units of its
// currency, or a count of articles. Money never travels as a float.
type Micro int64

// One is the Micro value of the number 1.
const One Micro = 1_000_000

// Errors of ParseMicro.
var (
	ErrNumber   = errors.New("not a decimal number")
	ErrOverflow = errors.New("number is outside ±9.2e12")
)

// ParseMicro reads a JSON-style decimal number ("19.80", "-3", "1.5e3"),
// exact to a millionth; further digits are rounded half away from zero.
// It returns ErrNumber for what is no number (NaN and infinities among it) and
// ErrOverflow for what an int64 of millionths cannot hold. It does not allocate.
func ParseMicro(s []byte) (Micro, error) {
	i, neg := 0, false
	if i < len(s) && s[i] == '-' {
		neg, i = true, i+1
	}
	var m uint64 // digits so far, without the point
	digits, frac, point := 0, 0, false
	for ; i < len(s); i++ {
		c := s[i]
		if c == '.' {
			if point || digits == 0 {
				return 0, ErrNumber
			}
			point = true
			if i+1 == len(s) || s[i+1] < '0' || s[i+1] > '9' {
				return 0, ErrNumber
			}
			continue
		}
		if c < '0' || c > '9' {
			break
		}
		digits++
		switch {
		case m > (math.MaxUint64-9)/10: // keeps magnitude, drops precision
			if !point {
				return 0, ErrOverflow
			}
		default:
			m = m*10 + uint64(c-'0')
			if point {
				frac++
			}
		}
	}
	if digits == 0 {
		return 0, ErrNumber
	}
	exp := 0
	if i < len(s) {
		if s[i] != 'e' && s[i] != 'E' {
			return 0, ErrNumber
		}
		e, err := strconv.Atoi(string(s[i+1:]))
		if err != nil {
			if errors.Is(err, strconv.ErrRange) {
				return 0, ErrOverflow
			}
			return 0, ErrNumber
		}
		exp = e
	}
	for shift := 6 - frac + exp; shift != 0; {
		if m == 0 {
			break
		}
		if shift > 0 {
			if m > math.MaxUint64/10 {
				return 0, ErrOverflow
			}
			m *= 10
			shift--
			continue
		}
		if shift == -1 && m%10 >= 5 {
			m += 10
		}
		m /= 10
		shift++
	}
	if m > math.MaxInt64 {
		return 0, ErrOverflow
	}
	if neg {
		return -Micro(m), nil
	}
	return Micro(m), nil
}

// Add returns m+n, held at the limits of int64 rather than wrapped.
func (m Micro) Add(n Micro) Micro {
	s := m + n
	switch {
	case m > 0 && n > 0 && s < 0:
		return math.MaxInt64
	case m < 0 && n < 0 && s >= 0:
		return math.MinInt64
	}
	return s
}

// Sub returns m−n, held at the limits of int64.
func (m Micro) Sub(n Micro) Micro {
	if n == math.MinInt64 {
		return m.Add(math.MaxInt64)
	}
	return m.Add(-n)
}

// MicroOf is the amount nearest to f, saturated; 0 for NaN.
func MicroOf(f float64) Micro {
	switch v := math.Round(f * float64(One)); {
	case v >= math.MaxInt64:
		return math.MaxInt64
	case v <= math.MinInt64:
		return math.MinInt64
	case v == v:
		return Micro(v)
	}
	return 0
}

// Float returns the number as a float64, for the scores' arithmetic.
func (m Micro) Float() float64 { return float64(m) / float64(One) }

// Append writes the number as a decimal with at least two places, the form
// money takes on the wire: 9.90, 0.00, -3.125.
func (m Micro) Append(b []byte) []byte {
	u := uint64(m)
	if m < 0 {
		b = append(b, '-')
		u = -u
	}
	b = strconv.AppendUint(b, u/uint64(One), 10)
	f := u % uint64(One)
	b = append(b, '.')
	var d [6]byte
	for i := 5; i >= 0; i-- {
		d[i] = byte('0' + f%10)
		f /= 10
	}
	n := 6
	for n > 2 && d[n-1] == '0' {
		n--
	}
	return append(b, d[:n]...)
}

// String is Append as a string.
func (m Micro) String() string { return string(m.Append(nil)) }

// MarshalText writes the number as Append does.
func (m Micro) MarshalText() ([]byte, error) { return m.Append(nil), nil }

// UnmarshalText reads the number as ParseMicro does.
func (m *Micro) UnmarshalText(b []byte) error {
	v, err := ParseMicro(b)
	if err != nil {
		return err
	}
	*m = v
	return nil
}
