"""The store: a Zarr v3 group keyed by video, modality and endpoint.

```
gbvis.zarr/                                       attributes: {"gbvis": {"format_version": 3}}
  <video>/<modality>/clips/<digest>/              pixels
  <video>/flow/<algorithm>-<digest>/              motion, pair by pair
  <video>/<modality>/<endpoint>/<target>-<method>-<digest>/   gradient, value
  <video>/<modality>/<endpoint>/check-<test>-<target>-<method>-<digest>/   curves
  weights/<sha256>/                               attributes: what is known of the networks in that file
```
"""

from gbvis.store.check import CheckRecipe, StoredCheck
from gbvis.store.clips import StoredClips
from gbvis.store.flow import StoredFlow
from gbvis.store.run import RunWriter, StoredRun
from gbvis.store.store import Store

__all__ = ["CheckRecipe", "RunWriter", "Store", "StoredCheck", "StoredClips", "StoredFlow", "StoredRun"]
