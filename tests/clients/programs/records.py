"""SageMaker SDK v2: the writer of its samples, from an array in a .npy file to recordio-protobuf."""

import sys

import numpy as np
from sagemaker.amazon.common import write_numpy_to_dense_tensor

array, records = sys.argv[1:]
with open(records, "wb") as file:  # noqa: PTH123
    write_numpy_to_dense_tensor(file, np.load(array))
print(records)
