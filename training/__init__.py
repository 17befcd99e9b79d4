"""Makes the model: learns it from files of readings, exports it to ONNX, evaluates it and writes its card."""
