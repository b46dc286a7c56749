package encode

// modelsDoc is the wire form of score.Learned.
type modelsDoc struct {
	Format      int    `json:"format"`
	Version     int    `json:"version"`
	At          moment `json:"at"`
	HorizonDays int    `json:"horizon_days"`
	Customers   int    `json:"customers"`
	fittedDoc
	LogLikelihood number       `json:"log_likelihood"`
	Average       number       `json:"average_probability"`
	Means         meansDoc     `json:"means"`
	Refused       []string     `json:"refused"`
	Quality       []qualityDoc `json:"quality"`
	Past          []pastDoc    `json:"past"`
}

// fittedDoc is the wire form of score.Fitted.
type fittedDoc struct {
	Rhythm    rhythmDoc    `json:"rhythm"`
	Alone     rhythmDoc    `json:"mbg_nbd"`
	Spend     *spendDoc    `json:"spend"`
	MeanSpend number       `json:"mean_spend"`
	Churn     *termsDoc    `json:"churn"`
	Labels    int          `json:"churn_labels"`
	Offers    *offersDoc   `json:"offers"`
	Baselines baselinesDoc `json:"baselines"`
}

type pastDoc struct {
	At moment `json:"at"`
	fittedDoc
}

// rhythmDoc has a weight for each regularity k of the rhythm model's grid: 1, 2,
// 3, 4, 6, 8, 12, 16, 24.
type rhythmDoc struct {
	R       number   `json:"r"`
	Alpha   number   `json:"alpha_days"`
	A       number   `json:"a"`
	B       number   `json:"b"`
	Weights []number `json:"weights"`
}

type spendDoc struct {
	P number `json:"p"`
	Q number `json:"q"`
	V number `json:"v"`
}

// offersDoc is the wire form of score.OfferModel.
type offersDoc struct {
	Lists int        `json:"lists"`
	Mix   []shareDoc `json:"mix"`
	New   *termsDoc  `json:"new"`
	Again *termsDoc  `json:"again"`
}

// shareDoc is a voice's share of the mixture that speaks for a new item.
type shareDoc struct {
	Voice string `json:"voice"`
	Share number `json:"share"`
}

// termsDoc is a logistic model: a sum of terms, one a column.
type termsDoc struct {
	Bias     number       `json:"bias"`
	Lambda   number       `json:"lambda"`
	Rows     int          `json:"rows"`
	Features []featureDoc `json:"features"`
	// Calibration bends the sum of the terms, both in log-odds; it is empty where
	// the sum is right as it is.
	Calibration []bendDoc `json:"calibration"`
}

type bendDoc struct {
	From number `json:"from"`
	To   number `json:"to"`
}

type featureDoc struct {
	Name   string `json:"name"`
	Weight number `json:"weight"`
	Low    number `json:"low"`
	High   number `json:"high"`
	Mean   number `json:"mean"`
}

type baselinesDoc struct {
	Recency   curveDoc `json:"recency"`
	Frequency curveDoc `json:"frequency"`
}

type curveDoc struct {
	Bias   number `json:"bias"`
	Weight number `json:"weight"`
}

type meansDoc struct {
	Silence  number   `json:"silence"`
	Features []number `json:"features"`
}

type qualityDoc struct {
	Name       string     `json:"name"`
	N          int        `json:"n"`
	Invalid    int        `json:"invalid"`
	Base       number     `json:"base"`
	MeanP      number     `json:"mean_probability"`
	AUC        number     `json:"auc"`
	Brier      number     `json:"brier"`
	LogLoss    number     `json:"log_loss"`
	InTheLarge number     `json:"in_the_large"`
	ECE        number     `json:"ece"`
	MaxGap     number     `json:"max_gap"`
	Deciles    [10]binDoc `json:"deciles"`
	Lift       [10]number `json:"lift"`
	Captured   [10]number `json:"captured"`
}

type binDoc struct {
	N    int    `json:"n"`
	Mean number `json:"mean"`
	Rate number `json:"rate"`
	Low  number `json:"low"`
	High number `json:"high"`
}
