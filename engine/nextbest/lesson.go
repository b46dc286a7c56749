package nextbest

import "github.com/dangol-dev/dangol/engine/score"

// Judged are the ways to offer that are judged side by side.
const (
	ByDangol     = iota // what the engine offers, ranked by probability
	ByFavourites        // what the customer bought most often, then the best sellers
	ByPopularity        // the best sellers
	numJudged
)

// Parts of an order that are judged apart.
const (
	AllItems = iota
	NewItems // that the customer had never bought
	OldItems // that it had
	numParts
)

// JudgedNames and PartNames are what they are called.
var (
	JudgedNames = [numJudged]string{"dangol", "favourites", "popularity"}
	PartNames   = [numParts]string{"all", "new", "repeated"}
)

// ListLength is how many of a list's items are looked at.
const ListLength = 10

// Hits says how well lists foretold orders: sums over the orders that had items
// of the part.
type Hits struct {
	Orders float64
	Recall float64 // share of the order's items that are in the list
	NDCG   float64 // the same, the first places counting more; 1 for a perfect list
	Hit    float64 // 1 where any is
}

// Verdict is how the ways did, by way and part.
type Verdict [numJudged][numParts]Hits

// Add adds another verdict.
func (v *Verdict) Add(o *Verdict) {
	for w := range v {
		for p := range v[w] {
			a, b := &v[w][p], &o[w][p]
			a.Orders, a.Recall, a.NDCG, a.Hit = a.Orders+b.Orders, a.Recall+b.Recall, a.NDCG+b.NDCG, a.Hit+b.Hit
		}
	}
}

// Lesson is what one order teaches: the candidates as they were before it, and
// whether it held them.
type Lesson struct {
	Order    uint64 // its hash
	At       int64  // Unix ms
	Sums     voices // what each voice said of all candidates
	Examples []Example
	Verdict  Verdict
}

// Example is one candidate.
type Example struct {
	Again  bool // the customer had it
	Bought bool
	Weight float32                 // candidates that it stands for
	X      [score.NumAgain]float32 // its columns; the first of a new item is not known before the mixture is
	Voices [score.NumVoices]float32
}

// skipped is of how many candidates that were not bought one is kept.
const skipped = 4
