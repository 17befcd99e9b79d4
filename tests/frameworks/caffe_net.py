"""A small Caffe net for the test of its road: random filters, and a last layer that scikit-learn has trained.

Runs where caffe2onnx is, beside `shapes.py` of docs/frameworks.md. Writes deploy.prototxt, season.caffemodel and
examples.csv, which holds what OpenCV, an independent reader of Caffe's files, makes of the unseen days.
"""

from pathlib import Path
from typing import TypeAlias

import cv2
import numpy as np
from caffe2onnx.proto import caffe_upsample_pb2 as caffe
from google.protobuf import text_format
from numpy.typing import NDArray
from shapes import save_examples, shapes, unseen, winter
from sklearn.linear_model import LogisticRegression

F32: TypeAlias = NDArray[np.float32]
F64: TypeAlias = NDArray[np.float64]

NET = """\
name: "season"
layer { name: "day" type: "Input" top: "day" input_param { shape { dim: 1 dim: 1 dim: 1 dim: 24 } } }
layer { name: "filters" type: "Convolution" bottom: "day" top: "filters"
        convolution_param { num_output: 16 kernel_h: 1 kernel_w: 5 } }
layer { name: "relu" type: "ReLU" bottom: "filters" top: "filters" }
layer { name: "seasons" type: "InnerProduct" bottom: "filters" top: "seasons" inner_product_param { num_output: 2 } }
layer { name: "probabilities" type: "Softmax" bottom: "seasons" top: "probabilities" }
"""
FILTERS, WIDTH = 16, 5


def main() -> None:
    """Writes the three files."""
    random = np.random.default_rng(0)
    filters, biases = random.normal(size=(FILTERS, WIDTH)), random.normal(size=FILTERS)
    last = LogisticRegression(max_iter=10_000).fit(features(shapes, filters, biases), winter)
    half, bias = last.coef_[0] / 2, last.intercept_[0] / 2
    blobs = {
        "filters": (filters.reshape(FILTERS, 1, 1, WIDTH), biases),
        "seasons": (np.stack([-half, half]), np.array([-bias, bias])),
    }
    net = text_format.Parse(NET, caffe.NetParameter())
    for layer in net.layer:
        for values in blobs.get(layer.name, ()):
            blob = layer.blobs.add()
            blob.shape.dim.extend(values.shape)
            blob.data.extend(values.ravel().tolist())
    Path("deploy.prototxt").write_text(NET)
    Path("season.caffemodel").write_bytes(net.SerializeToString())
    read = cv2.dnn.readNetFromCaffe("deploy.prototxt", "season.caffemodel")
    save_examples([probability(read, day) for day in unseen])


def features(days: F32, filters: F64, biases: F64) -> F64:
    """What the net's hidden layer makes of days [n, 24]: [n, filters * positions], a filter after the other."""
    windows: F32 = np.lib.stride_tricks.sliding_window_view(days, WIDTH, axis=1)
    hidden: F64 = np.maximum(np.einsum("npw,fw->nfp", windows, filters) + biases[:, None], 0)
    return hidden.reshape(len(days), -1)


def probability(read: cv2.dnn.Net, day: F32) -> float:
    """Winter's, as OpenCV has it."""
    read.setInput(day.reshape(1, 1, 1, -1))
    return float(read.forward()[0, 1])


if __name__ == "__main__":
    main()
