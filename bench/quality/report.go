// Package quality judges scores against what really happened: it holds the
// outcome of a backtest, says in plain words what it means, and renders it as
// text, as JSON and as one HTML file that needs nothing else.
//
// A number that is not known (no customers, only one class) is NaN. It is null
// in JSON and a dash elsewhere.
package quality

// Report is the outcome of a backtest: a history was cut at an instant, scored
// with what was known by then, and compared with what came after it. Within a
// report a customer has "left" who did not order within the horizon.
type Report struct {
	Title    string    `json:"title"` // "" is "dangol backtest"
	Data     Data      `json:"data"`
	Models   Models    `json:"models"`
	Churn    []Judged  `json:"churn"` // the first is the one on trial, the others are baselines
	Orders   Forecasts `json:"orders"`
	Value    Forecasts `json:"value"` // in money of Data.Currency
	Segments []Group   `json:"segments"`
	Stages   []Group   `json:"stages"`
	NextBest *NextBest `json:"next_best"` // nil where the events name no items
	NextView *NextView `json:"next_view"` // nil where nothing was looked at
	Findings []string  `json:"findings"`  // nil: Findings says them
}

// Data says what was judged.
type Data struct {
	Input       string  `json:"input"`
	Format      string  `json:"format"`
	AsOf        string  `json:"as_of"` // RFC 3339; the instant of the cut
	HorizonDays int     `json:"horizon_days"`
	Customers   int     `json:"customers"`
	Buyers      int     `json:"buyers"` // customers with an order before the cut: those who are judged
	Events      int     `json:"events"`
	Churned     int     `json:"churned"`   // buyers who left
	BaseRate    float64 `json:"base_rate"` // their share
	Currency    string  `json:"currency"`  // "" is unknown
	Version     string  `json:"version"`   // of the program
}

// Models are the parameters behind the scores.
type Models struct {
	Rhythm Rhythm `json:"rhythm"`
	Spend  Spend  `json:"spend"`
	Churn  Churn  `json:"churn"`
}

// Rhythm are the parameters of the times between orders.
type Rhythm struct {
	R             float64  `json:"r"`
	AlphaDays     float64  `json:"alpha_days"`
	A             float64  `json:"a"`
	B             float64  `json:"b"`
	Weights       []Weight `json:"weights"`
	LogLikelihood float64  `json:"log_likelihood"`
}

// Weight is the share of customers whose gaps are Gamma distributed with shape
// K: the larger, the more regular.
type Weight struct {
	K     int     `json:"k"`
	Share float64 `json:"share"`
}

// Spend are the Gamma-Gamma parameters of the money of an order.
type Spend struct {
	P float64 `json:"p"`
	Q float64 `json:"q"`
	V float64 `json:"v"`
}

// Churn says which model gave the churn probability, and of what it is made.
type Churn struct {
	Answered string `json:"answered"` // "rhythm" or "learned"
	Labels   int    `json:"labels"`   // outcomes that it learned from
	Terms    []Term `json:"terms"`
}

// Term is a term of the learned sum.
type Term struct {
	Name   string  `json:"name"`
	Weight float64 `json:"weight"` // log-odds of leaving, from the low end of the customers (0.5 %) to the high end (99.5 %)
	Text   string  `json:"text"`
}

// Judged is how well a churn score told who left.
type Judged struct {
	Name     string      `json:"name"`
	RankOnly bool        `json:"rank_only"` // the score is no probability: only its order counts
	N        int         `json:"n"`
	Base     float64     `json:"base"` // share of the N who left
	AUC      float64     `json:"auc"`
	Brier    float64     `json:"brier"`
	LogLoss  float64     `json:"log_loss"`
	ECE      float64     `json:"ece"`      // mean |predicted − actual| over the tenths, weighted by customers
	Deciles  [10]Bin     `json:"deciles"`  // by score; from either end
	Lift     [10]float64 `json:"lift"`     // share who left among the riskiest i+1 tenths ÷ Base
	Captured [10]float64 `json:"captured"` // part of all who left that is among the riskiest i+1 tenths
	Lead     *Lead       `json:"lead"`     // of the score on trial over this one; nil for itself, or where it cannot be told
}

// Bin is a tenth of the customers by score.
type Bin struct {
	N    int     `json:"n"`
	Mean float64 `json:"mean"` // mean predicted probability
	Rate float64 `json:"rate"` // share who left
	Low  float64 `json:"low"`  // 95 % interval of Rate (Wilson)
	High float64 `json:"high"`
}

// Forecasts compares amounts for a customer (orders, money) with what came.
type Forecasts struct {
	Models   []Forecast `json:"models"` // the first is the one on trial
	ByDecile [10]Pair   `json:"by_decile"`
}

// Forecast is how well one model foretold amounts.
type Forecast struct {
	Name          string  `json:"name"`
	MeanPredicted float64 `json:"mean_predicted"`
	MeanActual    float64 `json:"mean_actual"`
	MAE           float64 `json:"mae"`
	RMSE          float64 `json:"rmse"`
}

// Pair is a tenth of the customers, ranked by what was predicted for them:
// means for a customer.
type Pair struct {
	Predicted float64 `json:"predicted"`
	Actual    float64 `json:"actual"`
}

// Group is how a segment or a stage fared.
type Group struct {
	Name           string  `json:"name"`
	Customers      int     `json:"customers"`
	PredictedChurn float64 `json:"predicted_churn"`
	ActualChurn    float64 `json:"actual_churn"`
}

// NextBest is how many of the offers were bought.
type NextBest struct {
	Users  int           `json:"users"` // customers with an order within the horizon
	Models []Recommender `json:"models"`
}

// Recommender is how well one way to choose offers did.
type Recommender struct {
	Name   string `json:"name"`
	All    Hits   `json:"all"`
	New    Hits   `json:"new"`    // items that the customer had not bought before
	Repeat Hits   `json:"repeat"` // items that the customer had
}

// Hits are the usual measures of a list of 10 and of 20 offers, means over the
// customers: the part of the items then bought that was on the list (recall),
// the same with credit for the place on it (NDCG), and the share of customers
// for whom at least one was (personalised hit ratio).
type Hits struct {
	Recall10 float64 `json:"recall_10"`
	NDCG10   float64 `json:"ndcg_10"`
	PHR10    float64 `json:"phr_10"`
	Recall20 float64 `json:"recall_20"`
	NDCG20   float64 `json:"ndcg_20"`
	PHR20    float64 `json:"phr_20"`
}
