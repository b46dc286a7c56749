package decode

import (
	"errors"
	"fmt"
	"math/bits"
	"strings"

	"github.com/dangol-dev/dangol/engine/event"
)

// currencies are the alphabetic codes of ISO 4217: those in use, then those
// withdrawn since 2000, which histories still hold. XTS (for tests) and XXX (no
// currency) name no money and are left out.
const currencies = "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BHD BIF BMD BND BOB BOV BRL BSD BTN BWP BYN BZD " +
	"CAD CDF CHE CHF CHW CLF CLP CNY COP COU CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS " +
	"GIP GMD GNF GTQ GYD HKD HNL HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT " +
	"LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD " +
	"OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP " +
	"SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD USN UYI UYU UYW UZS VED VES VND VUV WST XAD XAF XAG XAU " +
	"XBA XBB XBC XBD XCD XCG XDR XOF XPD XPF XPT XSU XUA YER ZAR ZMW ZWG " +
	"AFA ANG ATS AZM BEF BGN BYR CSD CUC CYP DEM EEK ESP FIM FRF GHC GRD HRK IEP ITL LTL LUF LVL MRO MTL MZM NLG " +
	"PTE ROL SDD SIT SKK SLL SRG STD TMM TRL VEB VEF YUM ZMK ZWD ZWL ZWN ZWR"

// currencyAt holds, for each three-letter word, 1 + its index in currencies; 0
// where the word is no currency.
var currencyAt = func() (at [26 * 26 * 26]uint16) {
	for i := 0; i < len(currencies); i += 4 {
		at[letters(currencies[i:i+3])] = uint16(i + 1)
	}
	return at
}()

// letters numbers a three-letter word of either case; −1 for anything else.
func letters(s string) int {
	if len(s) != 3 {
		return -1
	}
	n := 0
	for i := range 3 {
		c := s[i]&^0x20 - 'A'
		if c > 25 {
			return -1
		}
		n = n*26 + int(c)
	}
	return n
}

// currency returns the code in capitals, of memory that lives forever, or false
// for what is not an ISO 4217 code.
func currency(s string) (string, bool) {
	n := letters(s)
	if n < 0 || currencyAt[n] == 0 {
		return "", false
	}
	i := currencyAt[n] - 1
	return currencies[i : i+3], true
}

// IsCurrency reports whether code is an ISO 4217 alphabetic code, in capitals.
func IsCurrency(code string) bool {
	c, ok := currency(code)
	return ok && c == code
}

// rate is the decimal num / den: units of the base currency for one unit.
type rate struct{ num, den uint64 }

var errRate = errors.New("not a decimal greater than 0 with at most 18 digits")

// parseRate reads a plain decimal such as "0.00642".
func parseRate(s string) (rate, error) {
	whole, frac, point := strings.Cut(s, ".")
	digits := whole + frac
	r := rate{den: 1}
	if whole == "" || point && frac == "" || len(digits) > 18 {
		return rate{}, fmt.Errorf("%q is %w", s, errRate)
	}
	for _, c := range []byte(digits) {
		if c < '0' || c > '9' {
			return rate{}, fmt.Errorf("%q is %w", s, errRate)
		}
		r.num = r.num*10 + uint64(c-'0')
	}
	for range frac {
		r.den *= 10
	}
	if r.num == 0 {
		return rate{}, fmt.Errorf("%q is %w", s, errRate)
	}
	return r, nil
}

// of converts m ≥ 0, exact, rounded half up to a micro-unit. It returns false
// where the result does not fit.
func (r rate) of(m event.Micro) (event.Micro, bool) {
	return mulDiv(uint64(m), r.num, r.den)
}

// times is price × quantity, both ≥ 0, rounded half up to a micro-unit.
func times(price, quantity event.Micro) (event.Micro, bool) {
	if quantity == event.One {
		return price, true
	}
	return mulDiv(uint64(price), uint64(quantity), uint64(event.One))
}

// mulDiv is a·b/c rounded half up; false where it exceeds an int64.
func mulDiv(a, b, c uint64) (event.Micro, bool) {
	hi, lo := bits.Mul64(a, b)
	lo, carry := bits.Add64(lo, c/2, 0)
	hi += carry
	if hi >= c {
		return 0, false
	}
	q, _ := bits.Div64(hi, lo, c)
	if int64(q) < 0 {
		return 0, false
	}
	return event.Micro(q), true
}
