"""How fast the house is, each figure beside a reference taken in the same run. `script/bench` runs it."""
