"""The parts that work on the datapath, and who may use it."""

from amaranth import Elaboratable, Module, Signal
from amaranth.lib.wiring import connect

from .datapath import Datapath
from .digester import Digester
from .editor import ListEditor
from .explainer import Explainer
from .geometry import Geometry
from .layouts import film_layout, row_of

__all__ = ["Engine"]


class Engine(Elaboratable):
    """Datapath, list editor, digester and explainer. Start one of them at a time.

    Attributes
    ----------
    data : :class:`Datapath`
    editor : :class:`ListEditor`
    digester : :class:`Digester`
    explainer : :class:`Explainer`
    user, slot : whose memory, and which entry of it, is read while none of them is busy
    item, read_film : the film to read from the catalogue, and a strobe to do so, likewise
    film, score_valid, score_ready : the film to score or to compare, and the handshakes of ``data.film`` and
        ``data.score``, likewise
    """

    def __init__(self, geometry: Geometry) -> None:
        self._geometry = geometry
        self.data = Datapath(geometry)
        self.editor = ListEditor(geometry)
        self.digester = Digester(geometry)
        self.explainer = Explainer(geometry)
        self.user = Signal(range(geometry.users))
        self.slot = Signal(range(geometry.memory_depth + 1))
        self.item = Signal(16)
        self.read_film = Signal()
        self.film = Signal(film_layout(geometry))
        self.score_valid = Signal()
        self.score_ready = Signal()

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.data = data = self.data
        m.submodules.editor = editor = self.editor
        m.submodules.digester = digester = self.digester
        m.submodules.explainer = explainer = self.explainer
        m.d.comb += [
            data.user.eq(self.user),
            data.entry.slot.eq(self.slot),
            data.film_read.row.eq(row_of(self.item, self._geometry.lanes)),
            data.film_read.en.eq(self.read_film),
            data.film.p.eq(self.film),
            data.film.valid.eq(self.score_valid),
            data.score.ready.eq(self.score_ready),
            data.query.eq(self.film.code),
            data.learn.eq(editor.learn),
            editor.learning.eq(data.learning),
            data.selected_kept.eq(editor.kept),
            editor.memory_kept.eq(data.kept),
            digester.kept.eq(editor.kept),
            digester.alpha.eq(data.alpha),
            digester.bias.eq(data.bias),
            explainer.kept.eq(editor.kept),
            explainer.alpha.eq(data.alpha),
            explainer.comparing.eq(data.comparing),
            explainer.best_slot.eq(data.best_slot),
            data.compare.eq(explainer.compare),
            data.first_row.eq(explainer.first_row),
            data.last_row.eq(explainer.last_row),
            data.alpha_slot.eq(explainer.alpha_slot),
        ]
        connect(m, editor.write, data.entry_write)
        connect(m, editor.set_kept, data.set_kept)
        connect(m, editor.mark, data.mark)
        connect(m, editor.wipe, data.wipe)
        connect(m, data.match, explainer.match)
        for reader in (editor.read, digester.entry, explainer.entry):
            m.d.comb += [reader.row.eq(data.entry.row), reader.entry.eq(data.entry.entry)]
        m.d.comb += [
            digester.film_read.films.eq(data.film_read.films),
            digester.film_read.marks.eq(data.film_read.marks),
            digester.tap.valid.eq(data.tap.valid),
            digester.tap.group.eq(data.tap.group),
            digester.tap.tuples.eq(data.tap.tuples),
            digester.tap.cells.eq(data.tap.cells),
            digester.score.p.eq(data.score.p),
        ]
        with m.If(editor.busy):
            m.d.comb += [data.user.eq(editor.memory_user), data.entry.slot.eq(editor.read.slot)]
        with m.If(explainer.busy):
            m.d.comb += data.entry.slot.eq(explainer.entry.slot)
        with m.If(digester.busy):
            m.d.comb += [
                data.entry.slot.eq(digester.entry.slot),
                data.alpha_slot.eq(digester.alpha_slot),
                data.film_read.en.eq(digester.film_read.en),
                data.film_read.row.eq(digester.film_read.row),
                data.film.p.eq(digester.film.p),
                data.film.valid.eq(digester.film.valid),
                digester.film.ready.eq(data.film.ready),
                digester.score.valid.eq(data.score.valid),
                data.score.ready.eq(digester.score.ready),
            ]
        return m
