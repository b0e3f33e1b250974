"""Eigenvalues of the Hessian by Basin and by PyTorch with SciPy: values and times, side by side.

    pip install torch scipy numpy safetensors
    python tests/peers/hessian.py BASIN DATA [CHANNELS] [IMAGES] [robust]

BASIN is the program, DATA the folder of CIFAR-10's binary files (`basin data fetch`). A ResNet-18 with random weights is
saved by PyTorch; both programs look for the four largest eigenvalues of the Hessian of its mean cross-entropy on the first
test images, over the tensors with more than one axis, to a relative residual of 1e-3: Basin by its own Lanczos, PyTorch by
differentiating twice inside scipy.sparse.linalg.eigsh. Both have the threads that PyTorch takes by itself. With `robust`
the loss is that on adversarial examples, which Basin keeps (`basin evaluate --keep-examples`) and PyTorch reads.
"""

import json
import pathlib
import subprocess
import sys
import tempfile
import time

import numpy
import scipy.sparse.linalg as sparse
import torch
from safetensors.torch import load_file
from torch import nn
from torch.nn import functional


class Block(nn.Module):
    def __init__(self, inside, outside, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(inside, outside, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(outside)
        self.conv2 = nn.Conv2d(outside, outside, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outside)
        self.shortcut = nn.Sequential()
        if stride != 1 or inside != outside:
            self.shortcut = nn.Sequential(
                nn.Conv2d(inside, outside, 1, stride, bias=False), nn.BatchNorm2d(outside)
            )

    def forward(self, x):
        out = functional.relu(self.bn1(self.conv1(x)))
        return functional.relu(self.bn2(self.conv2(out)) + self.shortcut(x))


class ResNet(nn.Module):
    """The ResNet-18 of kuangliu/pytorch-cifar, by its names."""

    def __init__(self, width):
        super().__init__()
        self.conv1 = nn.Conv2d(3, width, 3, 1, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        inside = width
        for stage, (factor, stride) in enumerate([(1, 1), (2, 2), (4, 2), (8, 2)], start=1):
            outside = factor * width
            blocks = nn.Sequential(Block(inside, outside, stride), Block(outside, outside, 1))
            setattr(self, f"layer{stage}", blocks)
            inside = outside
        self.linear = nn.Linear(inside, 10)

    def forward(self, x):
        x = functional.relu(self.bn1(self.conv1(x)))
        for stage in range(1, 5):
            x = getattr(self, f"layer{stage}")(x)
        return self.linear(x.mean((2, 3)))


def main():
    robust = sys.argv[-1] == "robust"
    arguments = sys.argv[1:-1] if robust else sys.argv[1:]
    basin, data = arguments[0], pathlib.Path(arguments[1])
    channels = int(arguments[2]) if len(arguments) > 2 else 16
    count = int(arguments[3]) if len(arguments) > 3 else 100
    torch.manual_seed(0)
    model = ResNet(channels).eval()
    raw = next(data.rglob("test_batch.bin")).read_bytes()
    rows = numpy.frombuffer(raw, numpy.uint8).reshape(-1, 3073)[:count]
    images = torch.tensor(rows[:, 1:].reshape(-1, 3, 32, 32) / 255.0, dtype=torch.float32)
    labels = torch.tensor(rows[:, 0].astype("int64"))

    weights = [p for p in model.parameters() if p.dim() > 1]
    size = sum(p.numel() for p in weights)
    products = 0

    def times(vector):
        nonlocal products
        products += 1
        vector = torch.from_numpy(vector.astype("float32").ravel())
        pieces = torch.split(vector, [p.numel() for p in weights])
        total = numpy.zeros(size)
        for some, wanted in zip(images.split(50), labels.split(50)):
            loss = functional.cross_entropy(model(some), wanted, reduction="sum") / len(images)
            gradient = torch.autograd.grad(loss, weights, create_graph=True)
            along = sum((g * v.view_as(g)).sum() for g, v in zip(gradient, pieces))
            total += torch.cat([g.reshape(-1) for g in torch.autograd.grad(along, weights)]).double().numpy()
        return total

    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder) / "resnet18.pt"
        torch.save(model.state_dict(), file)
        common = ["--assume", "normalization=none", "--data", str(data), "--examples", f"test:0..{count}"]
        attack = ["--epsilon", "8/255", "--attack-steps", "10", "--step-size", "0.007"]
        if robust:
            out = pathlib.Path(folder) / "evaluation.json"
            command = [basin, "evaluate", str(file), *common, "--attack", "pgd", *attack]
            subprocess.run([*command, "--keep-examples", "--out", str(out)], check=True, capture_output=True)
            kept = load_file(str(out) + ".examples.safetensors")
            images = images + kept["perturbations"]
        begun = time.perf_counter()
        command = [basin, "hessian", str(file), *common, "--top", "4", "--bottom", "0", "--tolerance", "1e-3"]
        command += ["--loss", "robust", *attack, "--json"] if robust else ["--json"]
        record = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        seconds = record["provenance"]["duration_s"]
        whole = time.perf_counter() - begun
    own = [pair["value"] for pair in record["outcome"]["largest"]]

    begun = time.perf_counter()
    operator = sparse.LinearOperator((size, size), matvec=times, dtype=numpy.float64)
    start = numpy.random.default_rng(0).standard_normal(size)
    values = sparse.eigsh(operator, k=4, which="LA", tol=1e-3, v0=start, return_eigenvectors=False)
    other = time.perf_counter() - begun

    found = record["outcome"]["products"]
    print(f"ResNet-18, {channels} channels, {size:,} weights, {count} images, {torch.get_num_threads()} threads")
    for ours, theirs in zip(own, sorted(values, reverse=True)):
        print(f"  {ours:14.6f}  {theirs:14.6f}  relative difference {abs(ours - theirs) / abs(theirs):.1e}")
    print(f"  Basin:           {seconds:8.2f} s ({found} products; {whole:.2f} s with opening the file)")
    print(f"  PyTorch, eigsh:  {other:8.2f} s ({products} products)")
    print(f"  {other / seconds:.2f} times as long")


if __name__ == "__main__":
    main()
