"""Opens what `basin plot` writes of a landscape in independent programs, and lets Basin open what they write.

    cargo build
    python -m venv /tmp/peers && /tmp/peers/bin/pip install numpy h5py meshio trimesh matplotlib vtk
    /tmp/peers/bin/python tests/peers/landscape_files.py [path of basin, target/debug/basin by default]

With `landscaper` (and torch) installed as well, its smoothness is compared, too. Prints a line for each file, and fails
at the first that is not as it should be.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import h5py
import matplotlib
import meshio
import numpy as np
import trimesh

matplotlib.use("Agg")
from matplotlib import pyplot

ROOT = Path(__file__).resolve().parents[2]
BASIN = Path(sys.argv[1]).resolve() if len(sys.argv) > 1 else ROOT / "target/debug/basin"
RECORD = ROOT / "tests/reference/records/landscape-2d.json"


def basin(*arguments):
    done = subprocess.run([BASIN, *map(str, arguments)], check=True, capture_output=True, text=True)
    return done.stdout


def close(found, expected, what, within=1e-6):
    found, expected = np.asarray(found, float), np.asarray(expected, float)
    assert found.shape == expected.shape, f"{what}: {found.shape}, expected {expected.shape}"
    worst = np.nanmax(np.abs(found - expected))
    assert worst <= within and (np.isnan(found) == np.isnan(expected)).all(), f"{what}: differs by {worst}"


def meshes(folder, x, y, loss):
    """Every point of the grid is a vertex; two triangles a cell; z up, or y up in glTF."""
    part = (loss - loss.min()) / np.ptp(loss)
    flat = np.stack([*(axis.ravel() for axis in np.meshgrid(x, y)), part.ravel()], axis=1)
    cells = 2 * (len(x) - 1) * (len(y) - 1)
    for ending in ["obj", "ply", "stl", "vtp", "gltf", "glb"]:
        path = folder / f"surface.{ending}"
        basin("plot", RECORD, "--out", path)
        readers = []
        if ending in ["obj", "ply", "stl"]:
            found = meshio.read(path)
            faces = sum(len(block.data) for block in found.cells if block.type == "triangle")
            assert faces == cells, f"{ending}: {faces} triangles in meshio"
            if ending != "stl":
                close(found.points[:, :3], flat, f"{ending} in meshio")
            if ending == "ply":
                close(found.point_data["value"], loss.ravel(), "values of ply")
            readers.append("meshio")
        if ending == "vtp":
            vtp(path, x, y, loss, cells)
            readers.append("XML" if vtk is None else "VTK")
        else:
            found = trimesh.load(path, process=False)
            # A scene of one mesh in glTF.
            found = next(iter(found.geometry.values())) if hasattr(found, "geometry") else found
            assert len(found.faces) == cells, f"{ending}: {len(found.faces)} triangles in trimesh"
            low, high = found.bounds
            expected = [[-1, -1, 0], [1, 1, 1]] if ending not in ["gltf", "glb"] else [[-1, 0, -1], [1, 1, 1]]
            close([low, high], expected, f"extent of {ending}")
            up = found.face_normals[:, 1 if ending.startswith("gl") else 2]
            assert (up > 0).all(), f"{ending}: a triangle looks down"
            if ending != "stl":
                in_gltf = ending.startswith("gl")
                colors = found.visual.vertex_attributes["color"] if in_gltf else found.visual.vertex_colors
                assert len(np.unique(np.asarray(colors), axis=0)) > 20, f"{ending}: no colours"
            readers.append("trimesh")
        print(f"{path.name}: {cells} triangles in {' and '.join(readers)}")


try:
    import vtk
    from vtk.util.numpy_support import vtk_to_numpy
except ImportError:
    vtk = None


def vtp(path, x, y, loss, cells):
    expected = np.stack([*(axis.ravel() for axis in np.meshgrid(x, y)), loss.ravel()], axis=1)
    if vtk is not None:
        reader = vtk.vtkXMLPolyDataReader()
        reader.SetFileName(str(path))
        reader.Update()
        found = reader.GetOutput()
        assert found.GetNumberOfPolys() == cells
        close(vtk_to_numpy(found.GetPoints().GetData()), expected, "vtp")
        close(vtk_to_numpy(found.GetPointData().GetScalars()), loss.ravel(), "values of vtp")
        return
    from xml.etree import ElementTree

    arrays = {array.get("Name"): array for array in ElementTree.parse(path).iter("DataArray")}
    close(np.fromstring(arrays["Points"].text, sep=" ").reshape(-1, 3), expected, "vtp")
    assert np.fromstring(arrays["offsets"].text, sep=" ")[-1] == 3 * cells


def arrays(folder, x, y, outcome):
    robust = outcome["robust"]
    path = folder / "surface.npz"
    basin("plot", RECORD, "--out", path)
    with np.load(path) as found:
        close(found["x"], x, "x of npz", 0)
        close(found["y"], y, "y of npz", 0)
        close(found["robust_loss"], robust["loss"], "loss of npz", 0)
        close(found["robust_error"], robust["error"], "error of npz", 0)
        print(f"{path.name}: {', '.join(found.files)} in numpy")
    path = folder / "surface.h5"
    basin("plot", RECORD, "--out", path)
    with h5py.File(path) as found:
        close(found["xcoordinates"], x, "xcoordinates", 0)
        close(found["robust_loss"], robust["loss"], "robust_loss", 0)
        close(found["robust_acc"], 100 * (1 - np.array(robust["error"])), "robust_acc")
        print(f"{path.name}: {', '.join(found)} in h5py, from {found['dir_file'][()].decode()[:40]}…")
        # As plot_2D.py of loss-landscape draws it.
        name = "train_loss" if "train_loss" in found else "robust_loss"
        grid = np.meshgrid(np.array(found["xcoordinates"][:]), np.array(found["ycoordinates"][:]))
        pyplot.contour(*grid, np.array(found[name][:]))
        print(f"{path.name}: contours of {name} drawn as by plot_2D.py")


def the_other_way(folder, x, y, loss):
    """What h5py and numpy write is what Basin reads."""
    with h5py.File(folder / "other.h5", "w") as file:
        file["dir_file"] = "directions.h5"
        file["xcoordinates"], file["ycoordinates"] = x, y
        unfinished = loss.copy()
        unfinished[0, 3] = -1
        file["train_loss"], file["train_acc"] = unfinished, 100 - unfinished
    np.savez(folder / "other.npz", loss=loss, coordinates=[x, y])
    for name in ["other.h5", "other.npz"]:
        basin("plot", folder / name, "--out", folder / "other.csv")
        rows = [row.split(",") for row in (folder / "other.csv").read_text().splitlines() if row[0] not in "#x"]
        found = np.array([float(row[2]) if row[2] else np.nan for row in rows]).reshape(loss.shape)
        expected = loss.copy()
        if name.endswith("h5"):
            expected[0, 3] = np.nan
        close(found, expected, name, 0)
        print(f"{name}: read by Basin")


def smoothness(x, y, loss):
    try:
        from landscaper.landscape import LossLandscape
    except ImportError as missing:
        return print(f"smoothness: not compared ({missing})")
    shape = json.loads(basin("plot", RECORD, "--shape", "--json"))["shape"]
    expected = LossLandscape(loss, [x, y]).smad()
    close(shape["smoothness"]["distance"], expected, "smoothness", 1e-9)
    print(f"smoothness: {expected:.6f} in Landscaper and in Basin")


def main():
    outcome = json.loads(RECORD.read_text())["outcome"]
    x, y, loss = np.array(outcome["x"]), np.array(outcome["y"]), np.array(outcome["robust"]["loss"], float)
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        meshes(folder, x, y, loss)
        arrays(folder, x, y, outcome)
        the_other_way(folder, x, y, loss)
    smoothness(x, y, loss)


main()
