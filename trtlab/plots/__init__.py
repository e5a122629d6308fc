"""Static pictures made from results with matplotlib, in colours that hold for colour-blind readers."""
