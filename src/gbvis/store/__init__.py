"""The store: a Zarr v3 group keyed by video, modality and endpoint, the only place that imports zarr.

```
gbvis.zarr/                                       attributes: {"gbvis": {"format_version": 2}}
  <video>/<modality>/clips/<digest>/              pixels
  <video>/flow/<algorithm>-<digest>/              motion, pair by pair
  <video>/<modality>/<endpoint>/<target>-<method>-<digest>/   gradient, value
  weights/<sha256>/                               attributes: the cards of the networks in that file
```
"""

from gbvis.store.clips import StoredClips
from gbvis.store.flow import StoredFlow
from gbvis.store.run import StoredRun
from gbvis.store.store import Store
from gbvis.store.writing import RunWriter

__all__ = ["RunWriter", "Store", "StoredClips", "StoredFlow", "StoredRun"]
