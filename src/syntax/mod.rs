//! Lossless tokens, with spans, of SPARQL and of Turtle.
