"""HotpotQA: questions over two articles of an encyclopaedia, with search, lookup and finish."""
