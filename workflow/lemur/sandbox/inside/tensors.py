"""Forms of the tensors of PyTorch and TensorFlow (``values``), by way of NumPy's arrays."""

import sys

import numpy as np
from values import Malformed, need, several

# PyTorch's dtypes: the dtype that NumPy has for it, or that holds its bits.
_TORCH = {
    name: name
    for name in ("uint8", "int8", "int16", "int32", "int64", "float16", "float32", "float64")
}
_TORCH |= {"complex64": "complex64", "complex128": "complex128", "bool": "bool"}
_BITS = {"bfloat16": "int16"}


def form(value, write):
    """The form of ``value``, None if it is not of these."""
    torch, tensorflow = sys.modules.get("torch"), sys.modules.get("tensorflow")
    if hasattr(torch, "Tensor"):
        found = _torch_form(torch, value, write)
        if found is not None:
            return found
    return _tensorflow_form(tensorflow, value, write) if hasattr(tensorflow, "Tensor") else None


def _torch_form(torch, value, write):
    if isinstance(value, torch.Tensor):
        kind = "parameter" if isinstance(value, torch.nn.Parameter) else "tensor"
        grad, value = value.requires_grad, value.detach()
        if value.layout == torch.sparse_coo:
            value = value.coalesce()
            parts = (value.indices(), value.values())
            return {"torch.sparse": [list(value.shape), write.many(parts)]}
        value = value.as_subclass(torch.Tensor).to_dense().resolve_conj().resolve_neg().cpu()
        name = str(value.dtype).removeprefix("torch.")
        if name in _BITS:
            value = value.view(getattr(torch, _BITS[name]))
        elif name not in _TORCH:
            return None
        return {"torch.tensor": [name, kind, grad, write(value.contiguous().numpy())]}
    if isinstance(value, torch.Size):
        return {"torch.size": list(map(int, value))}
    if isinstance(value, torch.dtype):
        return {"torch.dtype": str(value).removeprefix("torch.")}
    return None


def _tensor(inner, read):
    import torch

    name, kind, grad, array = several(inner, 4)
    array = read.expect(array, np.ndarray)
    if array.dtype != np.dtype((_TORCH | _BITS)[need(name, str)]):
        raise Malformed("a tensor of another type")
    made = torch.from_numpy(np.array(array, array.dtype.newbyteorder("="), order="C"))
    if name in _BITS:
        made = made.view(getattr(torch, name))
    if kind == "parameter":
        return torch.nn.Parameter(made, requires_grad=need(grad, bool))
    return made.requires_grad_(need(grad, bool))


def _sparse_tensor(inner, read):
    import torch

    shape, parts = several(inner, 2)
    indices, values = read.many(several(parts, 2))
    shape = torch.Size(need(size, int) for size in need(shape, list))
    return torch.sparse_coo_tensor(indices, values, shape, check_invariants=True)


def _dtype(inner, _):
    import torch

    if inner not in _TORCH and inner not in _BITS:
        raise Malformed("not a dtype")
    return getattr(torch, inner)


def _size(inner, _):
    import torch

    return torch.Size(need(size, int) for size in need(inner, list))


def _tensorflow_form(tensorflow, value, write):
    if isinstance(value, tensorflow.RaggedTensor):
        parts = [value.flat_values, *value.nested_row_splits]
        return {"tf.ragged": write.many(parts)}
    if isinstance(value, tensorflow.SparseTensor):
        return {"tf.sparse": write.many((value.indices, value.values, value.dense_shape))}
    if isinstance(value, tensorflow.Variable):
        return {"tf.variable": write(tensorflow.convert_to_tensor(value))}
    if isinstance(value, tensorflow.Tensor) and hasattr(value, "numpy"):
        return {"tf.tensor": [value.dtype.name, list(map(int, value.shape)), write(_array(value))]}
    if isinstance(value, tensorflow.TensorShape):
        return {"tf.shape": None if value.rank is None else value.as_list()}
    if isinstance(value, tensorflow.DType):
        return {"tf.dtype": value.name}
    return None


def _array(value):
    array = np.asarray(value.numpy())
    if value.dtype.name == "bfloat16":
        return array.view(np.int16)
    return np.array(array, dtype=object) if value.dtype.name == "string" else array


def _constant(inner, read):
    import tensorflow

    name, shape, array = several(inner, 3)
    array = read.expect(array, np.ndarray)
    if need(name, str) == "string":
        if not all(type(item) is bytes for item in array.ravel().tolist()):
            raise Malformed("not texts")
        return tensorflow.constant(array, dtype=tensorflow.string, shape=shape)
    if name == "bfloat16":
        array = need(array.dtype.str, str) == "<i2" and array.view(
            tensorflow.bfloat16.as_numpy_dtype
        )
    elif name not in _TORCH and name not in ("uint16", "uint32", "uint64"):
        raise Malformed("not a dtype")
    elif array.dtype != np.dtype(name):
        raise Malformed("a tensor of another type")
    return tensorflow.constant(array)


def _ragged(inner, read):
    import tensorflow

    values, *splits = read.many(inner)
    return tensorflow.RaggedTensor.from_nested_row_splits(values, splits, validate=True)


def _sparse(inner, read):
    import tensorflow

    indices, numbers, shape = (read.expect(part, tensorflow.Tensor) for part in several(inner, 3))
    if not ((indices.numpy() >= 0) & (indices.numpy() < shape.numpy())).all():
        raise Malformed("an index outside")
    return tensorflow.SparseTensor(indices, numbers, shape)


def _variable(inner, read):
    import tensorflow

    return tensorflow.Variable(read.expect(inner, tensorflow.Tensor))


def _shape(inner, _):
    import tensorflow

    sizes = inner and [size if size is None else need(size, int) for size in need(inner, list)]
    return tensorflow.TensorShape(sizes)


def _tf_dtype(inner, _):
    import tensorflow

    return tensorflow.as_dtype(need(inner, str))


READ = {
    "torch.tensor": _tensor,
    "torch.sparse": _sparse_tensor,
    "torch.size": _size,
    "torch.dtype": _dtype,
    "tf.tensor": _constant,
    "tf.ragged": _ragged,
    "tf.sparse": _sparse,
    "tf.variable": _variable,
    "tf.shape": _shape,
    "tf.dtype": _tf_dtype,
}
