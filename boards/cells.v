// Cells for a chip in simulation, in place of vendor's models that Yosys lacks, or that are kinder than silicon.
// The clock that enters the chip is already the one that its PLL makes.

module SB_PLL40_CORE #(
    parameter FEEDBACK_PATH = "SIMPLE",
    parameter [3:0] DIVR = 0,
    parameter [6:0] DIVF = 0,
    parameter [2:0] DIVQ = 0,
    parameter [2:0] FILTER_RANGE = 0
) (
    input REFERENCECLK, BYPASS, RESETB,
    output PLLOUTCORE, PLLOUTGLOBAL, LOCK
);
    assign PLLOUTCORE = REFERENCECLK, PLLOUTGLOBAL = REFERENCECLK;
    pll_lock lock(.clk(REFERENCECLK), .locked(LOCK));
endmodule

module SB_PLL40_PAD #(
    parameter FEEDBACK_PATH = "SIMPLE",
    parameter [3:0] DIVR = 0,
    parameter [6:0] DIVF = 0,
    parameter [2:0] DIVQ = 0,
    parameter [2:0] FILTER_RANGE = 0
) (
    input PACKAGEPIN, BYPASS, RESETB,
    output PLLOUTCORE, PLLOUTGLOBAL, LOCK
);
    assign PLLOUTCORE = PACKAGEPIN, PLLOUTGLOBAL = PACKAGEPIN;
    pll_lock lock(.clk(PACKAGEPIN), .locked(LOCK));
endmodule

module EHXPLLL #(
    parameter CLKI_DIV = 1,
    parameter CLKFB_DIV = 1,
    parameter CLKOP_DIV = 8,
    parameter CLKOP_ENABLE = "ENABLED",
    parameter CLKOP_CPHASE = 0,
    parameter CLKOP_FPHASE = 0,
    parameter FEEDBK_PATH = "CLKOP",
    parameter OUTDIVIDER_MUXA = "DIVA",
    parameter STDBY_ENABLE = "DISABLED",
    parameter DPHASE_SOURCE = "DISABLED",
    parameter PLLRST_ENA = "DISABLED",
    parameter INTFB_WAKE = "DISABLED"
) (
    input CLKI, CLKFB, RST, STDBY, PHASESEL0, PHASESEL1, PHASEDIR, PHASESTEP, PHASELOADREG, PLLWAKESYNC, ENCLKOP,
    output CLKOP, LOCK
);
    assign CLKOP = CLKI;
    pll_lock lock(.clk(CLKI), .locked(LOCK));
endmodule

// ECP5 gate of a global clock: it opens and shuts while the clock is low.
module DCCA(input CLKI, CE, output CLKO);
    reg open = 0;
    always @(negedge CLKI) open <= CE;
    assign CLKO = CLKI & open;
endmodule

// Until it locks, a chip must not run.
module pll_lock(input clk, output locked);
    reg [5:0] clocks = 0;
    assign locked = &clocks;
    always @(posedge clk) if (!locked) clocks <= clocks + 1;
endmodule

// iCE40 pads, without registers and always enabled. The vendors' own ask for one, which Verilator does not
// follow down to the pins.
module SB_IO #(
    parameter [5:0] PIN_TYPE = 0,
    parameter [0:0] PULLUP = 0, NEG_TRIGGER = 0,
    parameter IO_STANDARD = "SB_LVCMOS"
) (
    inout PACKAGE_PIN,
    input LATCH_INPUT_VALUE, CLOCK_ENABLE, INPUT_CLK, OUTPUT_CLK, OUTPUT_ENABLE, D_OUT_0, D_OUT_1,
    output D_IN_0, D_IN_1
);
    generate
        if (PIN_TYPE == 6'b000001) assign D_IN_0 = PACKAGE_PIN;
        else if (PIN_TYPE == 6'b011001 || PIN_TYPE == 6'b101001) assign PACKAGE_PIN = D_OUT_0;
        else pad_of_another_kind unknown();
    endgenerate
endmodule

// ECP5 pads, after synthesis and before it; none of ours ever floats.
module TRELLIS_IO #(parameter DIR = "INPUT") (inout B, input I, T, output O);
    generate
        if (DIR == "INPUT") assign O = B;
        else if (DIR == "OUTPUT") assign B = I;
        else pad_of_another_kind unknown();
    endgenerate
endmodule

module IB(input I, output O);
    assign O = I;
endmodule

module OB(input I, output O);
    assign O = I;
endmodule

module OBZ(input I, T, output O);
    assign O = I;
endmodule

// iCE40 block RAM: the vendor's, which is asleep for the first 3 us, and gives neither the old nor the new word
// where a read meets a write.
module wary_SB_RAM40_4K #(
    parameter WRITE_MODE = 0,
    parameter READ_MODE = 0,
    parameter [255:0] INIT_0 = 0, INIT_1 = 0, INIT_2 = 0, INIT_3 = 0, INIT_4 = 0, INIT_5 = 0, INIT_6 = 0, INIT_7 = 0,
    parameter [255:0] INIT_8 = 0, INIT_9 = 0, INIT_A = 0, INIT_B = 0, INIT_C = 0, INIT_D = 0, INIT_E = 0, INIT_F = 0
) (
    output [15:0] RDATA,
    input RCLK, RCLKE, RE,
    input [10:0] RADDR,
    input WCLK, WCLKE, WE,
    input [10:0] WADDR,
    input [15:0] MASK, WDATA
);
    wire [15:0] word;
    SB_RAM40_4K #(
        .WRITE_MODE(WRITE_MODE), .READ_MODE(READ_MODE),
        .INIT_0(INIT_0), .INIT_1(INIT_1), .INIT_2(INIT_2), .INIT_3(INIT_3),
        .INIT_4(INIT_4), .INIT_5(INIT_5), .INIT_6(INIT_6), .INIT_7(INIT_7),
        .INIT_8(INIT_8), .INIT_9(INIT_9), .INIT_A(INIT_A), .INIT_B(INIT_B),
        .INIT_C(INIT_C), .INIT_D(INIT_D), .INIT_E(INIT_E), .INIT_F(INIT_F)
    ) ram (
        .RDATA(word), .RCLK(RCLK), .RCLKE(RCLKE), .RE(RE), .RADDR(RADDR),
        .WCLK(WCLK), .WCLKE(WCLKE), .WE(WE), .WADDR(WADDR), .MASK(MASK), .WDATA(WDATA)
    );

    reg [15:0] asleep = 0;
    wire awake = asleep == `ASLEEP_CLOCKS;
    wire meets = WE && WCLKE && RADDR[7:0] == WADDR[7:0] && (READ_MODE != WRITE_MODE || RADDR == WADDR);
    reg [15:0] wrong = 0;
    always @(posedge RCLK) begin
        if (!awake) asleep <= asleep + 1;
        if (RE && RCLKE) wrong <= !awake ? ~16'b0 : !meets ? 16'b0 : WRITE_MODE == 0 && READ_MODE == 0 ? ~MASK : ~16'b0;
    end
    assign RDATA = word ^ wrong;
endmodule

// iCE40 large RAM: what is not defined is the complement of what stood there. Its power never goes.
module SB_SPRAM256KA(
    input [13:0] ADDRESS,
    input [15:0] DATAIN,
    input [3:0] MASKWREN,
    input WREN, CHIPSELECT, CLOCK, STANDBY, SLEEP, POWEROFF,
    output reg [15:0] DATAOUT
);
    reg [15:0] memory [0:16383];
    integer i;
    initial for (i = 0; i < 16384; i = i + 1) memory[i] = 16'hA5A5 ^ i;
    always @(posedge CLOCK) if (CHIPSELECT && !STANDBY && !SLEEP && POWEROFF) begin
        DATAOUT <= WREN ? ~memory[ADDRESS] : memory[ADDRESS];
        for (i = 0; i < 4; i = i + 1) if (WREN && MASKWREN[i]) memory[ADDRESS][4 * i +: 4] <= DATAIN[4 * i +: 4];
    end
endmodule

// ECP5 block RAM, after Lattice's FPGA-TN-02204 and Yosys' own mapping onto it: 512 rows of 36 bits. Where a read
// meets a write of the other port, it gives the complement of what stood there.
module DP16KD #(
    parameter DATA_WIDTH_A = 18, DATA_WIDTH_B = 18,
    parameter REGMODE_A = "NOREG", REGMODE_B = "NOREG",
    parameter RESETMODE = "SYNC", ASYNC_RESET_RELEASE = "SYNC",
    parameter CSDECODE_A = "0b000", CSDECODE_B = "0b000",
    parameter WRITEMODE_A = "NORMAL", WRITEMODE_B = "NORMAL",
    parameter CLKAMUX = "CLKA", CLKBMUX = "CLKB",
    parameter GSR = "ENABLED",
    parameter [319:0] INITVAL_00 = 0, INITVAL_01 = 0, INITVAL_02 = 0, INITVAL_03 = 0,
    parameter [319:0] INITVAL_04 = 0, INITVAL_05 = 0, INITVAL_06 = 0, INITVAL_07 = 0,
    parameter [319:0] INITVAL_08 = 0, INITVAL_09 = 0, INITVAL_0A = 0, INITVAL_0B = 0,
    parameter [319:0] INITVAL_0C = 0, INITVAL_0D = 0, INITVAL_0E = 0, INITVAL_0F = 0,
    parameter [319:0] INITVAL_10 = 0, INITVAL_11 = 0, INITVAL_12 = 0, INITVAL_13 = 0,
    parameter [319:0] INITVAL_14 = 0, INITVAL_15 = 0, INITVAL_16 = 0, INITVAL_17 = 0,
    parameter [319:0] INITVAL_18 = 0, INITVAL_19 = 0, INITVAL_1A = 0, INITVAL_1B = 0,
    parameter [319:0] INITVAL_1C = 0, INITVAL_1D = 0, INITVAL_1E = 0, INITVAL_1F = 0,
    parameter [319:0] INITVAL_20 = 0, INITVAL_21 = 0, INITVAL_22 = 0, INITVAL_23 = 0,
    parameter [319:0] INITVAL_24 = 0, INITVAL_25 = 0, INITVAL_26 = 0, INITVAL_27 = 0,
    parameter [319:0] INITVAL_28 = 0, INITVAL_29 = 0, INITVAL_2A = 0, INITVAL_2B = 0,
    parameter [319:0] INITVAL_2C = 0, INITVAL_2D = 0, INITVAL_2E = 0, INITVAL_2F = 0,
    parameter [319:0] INITVAL_30 = 0, INITVAL_31 = 0, INITVAL_32 = 0, INITVAL_33 = 0,
    parameter [319:0] INITVAL_34 = 0, INITVAL_35 = 0, INITVAL_36 = 0, INITVAL_37 = 0,
    parameter [319:0] INITVAL_38 = 0, INITVAL_39 = 0, INITVAL_3A = 0, INITVAL_3B = 0,
    parameter [319:0] INITVAL_3C = 0, INITVAL_3D = 0, INITVAL_3E = 0, INITVAL_3F = 0
) (
    input DIA17, DIA16, DIA15, DIA14, DIA13, DIA12, DIA11, DIA10, DIA9, DIA8, DIA7, DIA6, DIA5, DIA4, DIA3, DIA2,
        DIA1, DIA0,
    input ADA13, ADA12, ADA11, ADA10, ADA9, ADA8, ADA7, ADA6, ADA5, ADA4, ADA3, ADA2, ADA1, ADA0,
    input CEA, OCEA, CLKA, WEA, RSTA, CSA2, CSA1, CSA0,
    output DOA17, DOA16, DOA15, DOA14, DOA13, DOA12, DOA11, DOA10, DOA9, DOA8, DOA7, DOA6, DOA5, DOA4, DOA3, DOA2,
        DOA1, DOA0,
    input DIB17, DIB16, DIB15, DIB14, DIB13, DIB12, DIB11, DIB10, DIB9, DIB8, DIB7, DIB6, DIB5, DIB4, DIB3, DIB2,
        DIB1, DIB0,
    input ADB13, ADB12, ADB11, ADB10, ADB9, ADB8, ADB7, ADB6, ADB5, ADB4, ADB3, ADB2, ADB1, ADB0,
    input CEB, OCEB, CLKB, WEB, RSTB, CSB2, CSB1, CSB0,
    output DOB17, DOB16, DOB15, DOB14, DOB13, DOB12, DOB11, DOB10, DOB9, DOB8, DOB7, DOB6, DOB5, DOB4, DOB3, DOB2,
        DOB1, DOB0
);
    wire [17:0] data_a = {DIA17, DIA16, DIA15, DIA14, DIA13, DIA12, DIA11, DIA10, DIA9, DIA8, DIA7, DIA6, DIA5,
        DIA4, DIA3, DIA2, DIA1, DIA0};
    wire [13:0] address_a = {ADA13, ADA12, ADA11, ADA10, ADA9, ADA8, ADA7, ADA6, ADA5, ADA4, ADA3, ADA2, ADA1,
        ADA0};
    wire [17:0] data_b = {DIB17, DIB16, DIB15, DIB14, DIB13, DIB12, DIB11, DIB10, DIB9, DIB8, DIB7, DIB6, DIB5,
        DIB4, DIB3, DIB2, DIB1, DIB0};
    wire [13:0] address_b = {ADB13, ADB12, ADB11, ADB10, ADB9, ADB8, ADB7, ADB6, ADB5, ADB4, ADB3, ADB2, ADB1,
        ADB0};

    // Where in a row a port's access begins, and which bits it writes.
    function [5:0] place(input integer width, input [13:0] address);
        case (width)
            1, 2, 4: place = 9 * address[4:3] + (address[2:0] & (8 - width));
            9: place = 9 * address[4:3];
            18: place = address[4] ? 18 : 0;
            default: place = 0;
        endcase
    endfunction
    function [35:0] bits(input integer width, input [13:0] address);
        case (width)
            18: bits = {{9{address[1]}}, {9{address[0]}}};
            36: bits = {{9{address[3]}}, {9{address[2]}}, {9{address[1]}}, {9{address[0]}}};
            default: bits = (1 << width) - 1;
        endcase
        bits = bits << place(width, address);
    endfunction
    wire [20479:0] loaded = {INITVAL_3F, INITVAL_3E, INITVAL_3D, INITVAL_3C, INITVAL_3B, INITVAL_3A, INITVAL_39,
        INITVAL_38, INITVAL_37, INITVAL_36, INITVAL_35, INITVAL_34, INITVAL_33, INITVAL_32, INITVAL_31, INITVAL_30,
        INITVAL_2F, INITVAL_2E, INITVAL_2D, INITVAL_2C, INITVAL_2B, INITVAL_2A, INITVAL_29, INITVAL_28, INITVAL_27,
        INITVAL_26, INITVAL_25, INITVAL_24, INITVAL_23, INITVAL_22, INITVAL_21, INITVAL_20, INITVAL_1F, INITVAL_1E,
        INITVAL_1D, INITVAL_1C, INITVAL_1B, INITVAL_1A, INITVAL_19, INITVAL_18, INITVAL_17, INITVAL_16, INITVAL_15,
        INITVAL_14, INITVAL_13, INITVAL_12, INITVAL_11, INITVAL_10, INITVAL_0F, INITVAL_0E, INITVAL_0D, INITVAL_0C,
        INITVAL_0B, INITVAL_0A, INITVAL_09, INITVAL_08, INITVAL_07, INITVAL_06, INITVAL_05, INITVAL_04, INITVAL_03,
        INITVAL_02, INITVAL_01, INITVAL_00};
    reg [35:0] memory [0:511];
    integer row;
    initial for (row = 0; row < 512; row = row + 1)
        memory[row] = {loaded[40 * row + 20 +: 18], loaded[40 * row +: 18]};

    wire chosen_a = CEA && !CSA2 && !CSA1 && !CSA0, chosen_b = CEB && !CSB2 && !CSB1 && !CSB0;
    wire [35:0] written_a = chosen_a && WEA ? bits(DATA_WIDTH_A, address_a) : 0;
    wire [35:0] written_b = chosen_b && WEB ? bits(DATA_WIDTH_B, address_b) : 0;
    wire [35:0] new_a = (DATA_WIDTH_A == 36 ? {data_b, data_a} : {18'b0, data_a}) << place(DATA_WIDTH_A, address_a);
    wire [35:0] new_b = {18'b0, data_b} << place(DATA_WIDTH_B, address_b);
    wire same = address_a[13:5] == address_b[13:5];
    reg [35:0] seen_a = 0, seen_b = 0, kept_a = 0, kept_b = 0;

    wire clock_a = CLKAMUX == "INV" ? !CLKA : CLKA;
    always @(posedge clock_a) begin
        if (written_a != 0)
            memory[address_a[13:5]] <= memory[address_a[13:5]] & ~written_a | new_a & written_a;
        if (RSTA) seen_a <= 0;
        else if (chosen_a && (!WEA || WRITEMODE_A == "READBEFOREWRITE"))
            seen_a <= (memory[address_a[13:5]] ^ (same ? written_b : 0)) >> place(DATA_WIDTH_A, address_a);
        else if (chosen_a && WRITEMODE_A == "WRITETHROUGH")
            seen_a <= new_a >> place(DATA_WIDTH_A, address_a);
        if (RSTA) kept_a <= 0;
        else if (OCEA) kept_a <= seen_a;
    end
    wire [35:0] out_a = REGMODE_A == "OUTREG" ? kept_a : seen_a;

    wire clock_b = CLKBMUX == "INV" ? !CLKB : CLKB;
    always @(posedge clock_b) begin
        if (written_b != 0)
            memory[address_b[13:5]] <= memory[address_b[13:5]] & ~written_b | new_b & written_b;
        if (RSTB) seen_b <= 0;
        else if (chosen_b && (!WEB || WRITEMODE_B == "READBEFOREWRITE"))
            seen_b <= (memory[address_b[13:5]] ^ (same ? written_a : 0)) >> place(DATA_WIDTH_B, address_b);
        else if (chosen_b && WRITEMODE_B == "WRITETHROUGH")
            seen_b <= new_b >> place(DATA_WIDTH_B, address_b);
        if (RSTB) kept_b <= 0;
        else if (OCEB) kept_b <= seen_b;
    end
    wire [35:0] out_b = REGMODE_B == "OUTREG" ? kept_b : seen_b;
    assign {DOA17, DOA16, DOA15, DOA14, DOA13, DOA12, DOA11, DOA10, DOA9, DOA8, DOA7, DOA6, DOA5, DOA4, DOA3, DOA2,
        DOA1, DOA0} = DATA_WIDTH_B == 36 ? out_b[17:0] : out_a[17:0];
    assign {DOB17, DOB16, DOB15, DOB14, DOB13, DOB12, DOB11, DOB10, DOB9, DOB8, DOB7, DOB6, DOB5, DOB4, DOB3, DOB2,
        DOB1, DOB0} = DATA_WIDTH_B == 36 ? out_b[35:18] : out_b[17:0];
endmodule

// ECP5 multiplier without its registers, as Yosys uses it.
module MULT18X18D(
    input A17, A16, A15, A14, A13, A12, A11, A10, A9, A8, A7, A6, A5, A4, A3, A2, A1, A0,
    input B17, B16, B15, B14, B13, B12, B11, B10, B9, B8, B7, B6, B5, B4, B3, B2, B1, B0,
    input C17, C16, C15, C14, C13, C12, C11, C10, C9, C8, C7, C6, C5, C4, C3, C2, C1, C0,
    input SIGNEDA, SIGNEDB, SOURCEA, SOURCEB,
    output P35, P34, P33, P32, P31, P30, P29, P28, P27, P26, P25, P24, P23, P22, P21, P20, P19, P18, P17, P16, P15,
        P14, P13, P12, P11, P10, P9, P8, P7, P6, P5, P4, P3, P2, P1, P0
);
    wire signed [18:0] a = {SIGNEDA && A17, A17, A16, A15, A14, A13, A12, A11, A10, A9, A8, A7, A6, A5, A4, A3, A2,
        A1, A0};
    wire signed [18:0] b = {SIGNEDB && B17, B17, B16, B15, B14, B13, B12, B11, B10, B9, B8, B7, B6, B5, B4, B3, B2,
        B1, B0};
    wire signed [37:0] product = a * b;
    assign {P35, P34, P33, P32, P31, P30, P29, P28, P27, P26, P25, P24, P23, P22, P21, P20, P19, P18, P17, P16, P15,
        P14, P13, P12, P11, P10, P9, P8, P7, P6, P5, P4, P3, P2, P1, P0} = product[35:0];
endmodule

// A LUT's answer with one bit of its initial value flipped, if the fault is switched on.
module flipped_bit #(parameter NUMBER = 1, parameter ADDRESS = 0) (
    input [3:0] address,
    input [15:0] fault,
    input right,
    output answer
);
    assign answer = right ^ (fault == NUMBER && address == ADDRESS);
endmodule
