package quality

// entry explains a word.
type entry struct{ Word, Text string }

// glossary is in the order of the report.
func glossary() []entry {
	return []entry{
		{"Backtest", "The history is cut at a day. The scores see only what was before it; what came after it says whether they were right."},
		{"Left (churn)", "Placed no order within the horizon after the cut. Some of those who left by this rule come back later."},
		{"Baseline", "A simple score that costs nothing, for comparison. “Recency only” ranks by the days since the last order, “frequency only” by how many orders there were; MBG/NBD is a published model that knows the whole population's rhythm, but no customer's own regularity. For orders and spend, “pace so far” carries on each customer's own orders a day."},
		{"AUC", "Take one customer who left and one who stayed: how often is the first one rated riskier? 0.5 is a coin, 1 is perfect. It judges the order only."},
		{"Brier score", "The mean squared difference between the probability and what happened (1 left, 0 stayed). 0 is perfect; it judges the order and the numbers. Compare it only within one report."},
		{"Log-loss", "Like the Brier score, but sure and wrong costs much more. 0 is perfect."},
		{"Calibration, “off by”", "Of the customers given 80 %, do 80 of 100 leave? “Off by” is the mean distance between predicted and actual churn over ten groups, in percentage points (expected calibration error)."},
		{"Tenth (decile)", "The customers in the order of their predicted risk, cut into ten groups of the same size."},
		{"95 % interval", "Where the true figure plausibly lies, given how few customers it was counted on: of a rate, Wilson's interval; of the difference between two rankings of the same customers, DeLong's. Where the interval of a difference holds 0, chance may have made the difference."},
		{"Lift", "How many times more often the customers chosen leave than the average customer. 1 is no better than choosing blindly; it cannot exceed 1 ÷ the average churn."},
		{"Cumulative gains", "Which part of all who left one reaches by writing to the riskiest customers only."},
		{"MAE, RMSE", "The mean error for a single customer; in RMSE large errors weigh more. The mean over all customers can be right while single customers are off."},
		{"Recall@10", "Which part of the items that a customer then bought was among ten offers."},
		{"NDCG@10", "The same with more credit for hits at the top of the list; 1 is the perfect order."},
		{"Hit@10 (personalised hit ratio)", "The share of customers for whom at least one of ten offers was bought."},
		{"Rhythm model", "Each customer's own pace and regularity, with the chance to leave after each order. r and α describe how paces differ, a and b how readily customers leave, k how regular gaps are: 1 is random, the higher the more regular."},
		{"Gamma-Gamma (p, q, v)", "How much an order is worth: p how much one customer's orders vary, q and v how customers differ."},
	}
}
