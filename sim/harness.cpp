// Compiled gateware behind a C interface: bytes in, clocks, bytes out.
//
// The design comes from Verilator. With DIVISOR it is a Top, and bytes travel as bits on its serial line;
// without, it is a Device, and they travel over its streams. With TRACE the board may write waveforms. With FAULTS
// the design has faults that can be switched on, one at a time. With START nobody speaks for that many clocks, in
// which a board's PLL locks. What has no value at the start gets a random one.

#include "Design.h"
#include "verilated.h"

#include <algorithm>
#include <deque>
#include <memory>
#ifdef TRACE
#include "verilated_vcd_c.h"
#endif

namespace {

#ifndef START
#define START 0
#endif

using Bytes = std::deque<uint8_t>;

#ifdef DIVISOR

// A board counts as idle when nothing was on its pins for this many clocks. One that does not say that it is busy
// must be given the time of its longest request.
#ifndef QUIET
#define QUIET 64 + 12 * DIVISOR
#endif
constexpr unsigned QUIET_CLOCKS = QUIET;

class Port {
    // Bits to send, the next one lowest, and clocks until the next one; 8N1 frames of 10 bits.
    unsigned send_bits = 0, send_left = 0, send_timer = 0;
    unsigned receive_bits = 0, receive_left = 0, receive_timer = 0;

  public:
    void drive(Design &top, Bytes &input) {
        if (send_left == 0 && !input.empty()) {
            send_bits = input.front() << 1 | 1 << 9;
            send_left = 10;
            send_timer = DIVISOR;
            input.pop_front();
        }
        top.rx = send_left == 0 || send_bits & 1;
        if (send_left != 0 && --send_timer == 0) {
            send_bits >>= 1;
            send_left--;
            send_timer = DIVISOR;
        }
    }

    bool sample(Design &top, Bytes &, Bytes &output) {
        bool line = top.tx;
        if (receive_left == 0) {
            if (!line) {
                receive_left = 9;
                receive_timer = DIVISOR + DIVISOR / 2;
            }
        } else if (--receive_timer == 0) {
            receive_bits = receive_bits >> 1 | line << 8;
            receive_timer = DIVISOR;
            if (--receive_left == 0 && line) {
                output.push_back(receive_bits & 0xff);
                return true;
            }
        }
        return false;
    }

    bool active(const Bytes &input) const { return !input.empty() || send_left != 0 || receive_left != 0; }
};

#else

constexpr unsigned QUIET_CLOCKS = 64;

class Port {
  public:
    void drive(Design &top, Bytes &input) {
        top.o___05Fready = true;
        top.i___05Fvalid = !input.empty();
        if (!input.empty())
            top.i___05Fpayload = input.front();
    }

    bool sample(Design &top, Bytes &input, Bytes &output) {
        if (!input.empty() && top.i___05Fready)
            input.pop_front();
        if (!top.o___05Fvalid)
            return false;
        output.push_back(top.o___05Fpayload);
        return true;
    }

    bool active(const Bytes &input) const { return !input.empty(); }
};

#endif

struct Context : VerilatedContext {
    Context() {
        randReset(2);
        randSeed(1);
    }
};

struct Board {
    Context context;
    Design top{&context};
    Port port;
    Bytes input, output;
    unsigned quiet = 0;
    uint64_t clocks = 0;
#ifdef TRACE
    VerilatedVcdC file;

    Board() { context.traceEverOn(true); }

    bool trace(const char *path) {
        top.trace(&file, 99);
        file.open(path);
        return file.isOpen();
    }

    void sample_trace() { file.dump(clocks); }
#else
    bool trace(const char *) { return false; }
    void sample_trace() {}
#endif

    // One clock; true if a frame ended in it.
    bool clock() {
        port.drive(top, input);
        top.clk = false;
        top.eval();
        bool came = port.sample(top, input, output);
        quiet = came || port.active(input) || top.busy ? 0 : quiet + 1;
        sample_trace();
        top.clk = true;
        top.eval();
        clocks++;
        return came && output.back() == 0;
    }
};

} // namespace

extern "C" {

// Null if the trace cannot be written.
Board *board_open(const char *trace) {
    auto board = std::make_unique<Board>();
    if (trace && !board->trace(trace))
        return nullptr;
    for (uint64_t clock = 0; clock < START; clock++)
        board->clock();
    board->quiet = 0;
    return board.release();
}

void board_close(Board *board) {
#ifdef TRACE
    board->file.close();
#endif
    delete board;
}

void board_write(Board *board, const uint8_t *data, size_t size) {
    board->input.insert(board->input.end(), data, data + size);
    board->quiet = 0;
}

// Run until a frame ended or the design is idle; false if the limit came first.
bool board_run(Board *board, uint64_t limit) {
    while (limit--) {
        if (board->clock() || board->quiet >= QUIET_CLOCKS)
            return true;
    }
    return false;
}

size_t board_read(Board *board, uint8_t *data, size_t room) {
    size_t size = std::min(room, board->output.size());
    std::copy_n(board->output.begin(), size, data);
    board->output.erase(board->output.begin(), board->output.begin() + size);
    return size;
}

// Switch a fault on, or with 0 all off.
void board_fault([[maybe_unused]] Board *board, [[maybe_unused]] unsigned number) {
#ifdef FAULTS
    board->top.fault = number;
#endif
}

uint64_t board_clocks(const Board *board) { return board->clocks; }
}
