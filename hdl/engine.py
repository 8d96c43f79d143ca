"""The parts that work on the datapath, and who may use it."""

from amaranth import Elaboratable, Module, Mux, Signal
from amaranth.lib.wiring import connect

from .datapath import Datapath
from .digester import Digester
from .editor import ListEditor
from .explainer import Explainer
from .geometry import Geometry
from .layouts import film_layout

__all__ = ["Engine"]


class Engine(Elaboratable):
    """Datapath, list editor, digester and explainer. Start one of them at a time.

    Attributes
    ----------
    data : :class:`Datapath`
    editor : :class:`ListEditor`
    digester : :class:`Digester`
    explainer : :class:`Explainer`, or None in a device that does not explain
    user, slot : whose stored ratings, and which of them, are read while the editor is not busy
    item, look : the film to look up in the catalogue, and a strobe to do so, while none of them is busy
    looking : a film is being looked up
    film, query : the film to score or to compare, and a strobe to score it, likewise
    """

    def __init__(self, geometry: Geometry) -> None:
        self._compact = geometry.compact
        self.data = Datapath(geometry)
        self.editor = ListEditor(geometry)
        self.digester = Digester(geometry)
        self.explainer = Explainer(geometry) if geometry.explains else None
        self.user = Signal(range(geometry.users))
        self.slot = Signal(range(geometry.memory_depth + 1))
        self.item = Signal(16)
        self.look, self.looking = Signal(), Signal()
        self.film = Signal(film_layout(geometry))
        self.query = Signal()

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.data = data = self.data
        m.submodules.editor = editor = self.editor
        m.submodules.digester = digester = self.digester
        m.d.comb += [
            data.user.eq(self.user),
            data.slot.eq(self.slot),
            data.query.film.eq(self.film),
            data.query.en.eq(self.query),
            data.compared.eq(self.film.code),
            data.learn.eq(editor.learn),
            data.kept.eq(editor.kept),
            data.neurons.group.eq(digester.neurons.group),
            data.neurons.tuples.eq(digester.neurons.tuples),
            data.entry.en.eq(editor.read.en),
            data.entry.slot.eq(editor.read.slot),
            editor.learning.eq(data.learning),
            editor.store_kept.eq(data.stored_kept),
            editor.rating.eq(data.rating),
            self.looking.eq(data.look | data.looking),
            editor.looking.eq(self.looking),
            editor.found.eq(data.found),
            editor.found_place.eq(data.found_place),
            editor.found_film.eq(data.found_film),
            editor.found_known.eq(data.found_known),
            editor.found_tag.eq(data.found_tag),
            digester.kept.eq(editor.kept),
            digester.alpha.eq(data.alpha),
            digester.bias.eq(data.bias),
            digester.neurons.cells.eq(data.neurons.cells),
            digester.found.eq(data.found),
            digester.film.eq(data.found_film),
        ]
        connect(m, editor.write, data.entry_write)
        connect(m, editor.store_write, data.store_write)
        connect(m, editor.set_kept, data.set_kept)
        connect(m, editor.mark, data.mark)
        connect(m, editor.fill, data.fill)
        for reader in (editor.read, digester.entry, *([self.explainer.entry] if self.explainer else [])):
            m.d.comb += [reader.row.eq(data.entry.row), reader.entry.eq(data.entry.entry)]
        with m.If(editor.busy):
            m.d.comb += [data.user.eq(editor.store_user), data.slot.eq(editor.store_slot)]
        if self.explainer is not None:
            m.submodules.explainer = explainer = self.explainer
            connect(m, data.match, explainer.match)
            m.d.comb += [
                data.compare.eq(explainer.compare),
                data.first_row.eq(explainer.first_row),
                data.last_row.eq(explainer.last_row),
                data.alpha_slot.eq(explainer.alpha_slot),
                explainer.kept.eq(editor.kept),
                explainer.alpha.eq(data.alpha),
                explainer.comparing.eq(data.comparing),
                explainer.best_slot.eq(data.best_slot),
            ]
            with m.If(explainer.busy):
                m.d.comb += data.entry.slot.eq(explainer.entry.slot)
        # Who wants a film, and which, is far from the catalogue.
        domain = m.d.comb if self._compact else m.d.sync
        domain += [
            data.look.eq(self.look | editor.look | digester.look),
            data.look_item.eq(Mux(editor.look, editor.look_item, Mux(digester.busy, digester.item, self.item))),
            data.look_tag.eq(editor.look_tag),
        ]
        with m.If(digester.busy):
            m.d.comb += [
                data.entry.slot.eq(digester.entry.slot),
                data.alpha_slot.eq(digester.alpha_slot),
            ]
        return m
