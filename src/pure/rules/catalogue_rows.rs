//! The rows of the catalogue. Sources are cited in our own words; `effective_from` is when this platform enforces a
//! rule, which is not before the article came into force.

use crate::kernel::text::Phrase;
use crate::rules::catalogue::{Confidence, Enforcement, Rule, RuleId};

macro_rules! rules {
    ($($constant:ident = $id:literal, $confidence:ident, $enforcement:ident, $from:literal, $zh:literal, $en:literal, $source_zh:literal, $source_en:literal;)*) => {
        $(
            #[doc = concat!($id, ": ", $en, " (", $source_en, ").")]
            pub const $constant: RuleId = RuleId::new($id);
        )*

        /// Every rule that is enforced.
        pub const RULES: &[Rule] = &[$(Rule {
            id: $constant,
            title: Phrase::new($zh, $en),
            source: Phrase::new($source_zh, $source_en),
            confidence: Confidence::$confidence,
            enforcement: Enforcement::$enforcement,
            effective_from: $from,
        }),*];
    };
}

rules! {
    G_01 = "G-01", V1, Blocks, "2026-01-01",
        "期间不计开始之日；最后一日为法定休假日的顺延",
        "periods do not count their first day; an end on a day off moves on",
        "民法典第201、203条", "Civil Code, articles 201 and 203";
    G_02 = "G-02", V2, Blocks, "2026-01-01",
        "工作日以公布的安排为准，调休上班日计入",
        "working days are those announced, make-up days included",
        "国务院办公厅节假日安排通知；产权交易操作规则", "State Council's yearly holiday notice; operating rules of property exchanges";
    G_08 = "G-08", V1, Blocks, "2026-01-01",
        "未经审批、权属有争议、受限制或禁止交易的，不予登记",
        "no registration without approval, with a disputed title, under restriction or where trade is forbidden",
        "公共资源交易地方条例（濮阳）第13条", "local regulation on public-resource trading (Puyang), article 13";
    G_09 = "G-09", V1, Blocks, "2026-01-01",
        "系统故障、不可抗力、权属争议等可中止，消除后恢复",
        "suspend on system failure, force majeure or disputed title; resume when cured",
        "公共资源交易地方条例（濮阳第21、22条，宁波第25、26条）", "local regulations (Puyang 21-22, Ningbo 25-26)";
    G_10 = "G-10", V1, Blocks, "2026-01-01",
        "截止前获取文件者的名称、数量保密",
        "who and how many obtained the documents is secret before the deadline",
        "招标投标法第22、52条", "Bidding Law, articles 22 and 52";
    ENG_01 = "ENG-01", V1, Blocks, "2026-01-01",
        "依法必招项目自文件开始发出至投标截止不少于20日",
        "compulsory tenders: at least 20 days from the start of document issue to the deadline",
        "招标投标法第24条", "Bidding Law, article 24";
    ENG_02 = "ENG-02", V1, Blocks, "2026-01-01",
        "招标文件发售期不少于5日",
        "documents are issued for at least 5 days",
        "招标投标法实施条例第16条", "Implementing Regulations of the Bidding Law, article 16";
    ENG_04 = "ENG-04", V1, Blocks, "2026-01-01",
        "影响投标的澄清、修改距截止不少于15日，不足的顺延",
        "a clarification that affects bids leaves 15 days, or the deadline moves",
        "招标投标法第23条；实施条例第21条", "Bidding Law, article 23; Implementing Regulations, article 21";
    ENG_05 = "ENG-05", V1, Blocks, "2026-01-01",
        "对文件的异议在截止10日前提出，3日内答复，答复前暂停",
        "objections to documents 10 days before the deadline, answered in 3 days, the procedure pauses",
        "招标投标法实施条例第22条", "Implementing Regulations, article 22";
    ENG_07 = "ENG-07", V1, Blocks, "2026-01-01",
        "投标保证金不超过项目估算价的2%",
        "bid security at most 2 % of the estimated price",
        "招标投标法实施条例第26条", "Implementing Regulations, article 26";
    ENG_09 = "ENG-09", V1, Blocks, "2026-01-01",
        "最高投标限价应公布，不得规定最低投标限价",
        "a ceiling is disclosed; no lowest price may be set",
        "招标投标法实施条例第27条", "Implementing Regulations, article 27";
    ENG_13 = "ENG-13", V1, Blocks, "2026-01-01",
        "截止前可以补充、修改、撤回投标",
        "bids can be supplemented, modified and withdrawn before the deadline",
        "招标投标法第29条；实施条例第35条", "Bidding Law, article 29; Implementing Regulations, article 35";
    ENG_14 = "ENG-14", V1, Blocks, "2026-01-01",
        "逾期送达的投标拒收，并记录送达时间",
        "late bids are refused and their arrival recorded",
        "招标投标法第28条；实施条例第36条", "Bidding Law, article 28; Implementing Regulations, article 36";
    ENG_16 = "ENG-16", V1, Blocks, "2026-01-01",
        "投标人少于3个的不得开标，重新招标",
        "with fewer than 3 bidders there is no opening; tender again",
        "招标投标法第28条；实施条例第44条", "Bidding Law, article 28; Implementing Regulations, article 44";
    ENG_17 = "ENG-17", V1, Blocks, "2026-01-01",
        "开标在投标截止的同一时间公开进行",
        "the opening is public and at the time of the deadline",
        "招标投标法第34条", "Bidding Law, article 34";
    ENG_18 = "ENG-18", V1, Blocks, "2026-01-01",
        "对开标的异议当场提出、当场答复并记录",
        "objections to the opening are raised, answered and minuted in it",
        "招标投标法实施条例第44条", "Implementing Regulations, article 44";
    ENG_24 = "ENG-24", V1, Blocks, "2026-01-01",
        "否决投标的法定情形",
        "the closed list of grounds on which a bid is rejected",
        "招标投标法实施条例第51条", "Implementing Regulations, article 51";
    ENG_26 = "ENG-26", K, Blocks, "2026-01-01",
        "报价明显偏低须说明，不能说明的否决",
        "a clearly low price is explained or the bid rejected",
        "招标投标法第41条；评标委员会和评标方法暂行规定第21条", "Bidding Law, article 41; order 12, article 21";
    ENG_28 = "ENG-28", V1, Blocks, "2026-01-01",
        "收到评标报告3日内公示候选人，不少于3日；异议答复前暂停",
        "candidates published within 3 days of the report, for at least 3 days; objections pause the procedure",
        "招标投标法实施条例第54条", "Implementing Regulations, article 54";
    ENG_29 = "ENG-29", V1, Blocks, "2026-01-01",
        "国有资金项目确定排名第一者中标，法定事由除外",
        "state-funded: award to rank 1 but for listed causes",
        "招标投标法实施条例第55条", "Implementing Regulations, article 55";
    ENG_34 = "ENG-34", V1, Due, "2026-01-01",
        "确定中标人15日内向监督部门书面报告",
        "report to the regulator within 15 days of the award",
        "招标投标法第47条", "Bidding Law, article 47";
    ENG_39 = "ENG-39", K, Blocks, "2026-01-01",
        "否决后有效投标不足且明显缺乏竞争的，可以否决全部投标",
        "too few bids left and competition clearly lacking: all may be rejected, by decision",
        "评标委员会和评标方法暂行规定第27条", "order 12 on evaluation, article 27";
    ENG_40 = "ENG-40", K, Blocks, "2026-01-01",
        "双信封:先开第一信封并评审,公布通过名单后再开其第二信封(报价);未通过的第二信封不予拆封,予以退还",
        "two envelopes: the second, the price, opens only for who passed the first, after their list is published; the others' stays sealed",
        "公路工程建设项目招标投标管理办法(交通运输部令2015年第24号)", "Measures on Tenders for Highway Works (Ministry of Transport, order 24 of 2015)";
    EB_02 = "EB-02", V2, Blocks, "2026-01-01",
        "截止前完成传输；未完成视为撤回，逾期拒收；开标前任何人不得解密",
        "transmission ends before the deadline; nobody decrypts before the opening",
        "电子招标投标办法第27条", "Measures on Electronic Bidding (order 20 of 2013), article 27";
    EB_03 = "EB-03", V2, Records, "2026-01-01",
        "以最后一次完整提交为准，此前的留存",
        "the last complete submission counts; earlier ones are kept",
        "电子招标投标地方规则（上海）", "local rule on electronic bidding (Shanghai)";
    EB_05 = "EB-05", V2, Blocks, "2026-01-01",
        "因投标人原因未解密视为撤销，因他方原因视为撤回",
        "undecrypted through the bidder's fault is revoked, through others' fault withdrawn",
        "电子招标投标办法第31条", "Measures on Electronic Bidding, article 31";
    EB_06 = "EB-06", V2, Blocks, "2026-01-01",
        "密钥由投标人持有、平台保管或共同保管;投标人密钥的托管属文件约定的补救,仅在其解密时限届满后启用",
        "keys are the bidder's, the platform's or held jointly; a bidder's key in escrow is a declared remedy, used only after its time to decrypt",
        "电子招标投标办法第31条;行业实务文章", "Measures on Electronic Bidding, article 31; articles of the trade";
    LD_02 = "LD-02", K, Blocks, "2026-01-01",
        "至少在招标开始日前20日发布公告",
        "the notice is out at least 20 days before bidding begins",
        "招标拍卖挂牌出让国有建设用地使用权规定（39号令）第8条", "Order 39 on granting land-use rights, article 8";
    LD_04 = "LD-04", K, Blocks, "2026-01-01",
        "标底、底价集体决策并保密至开标",
        "the reserve price is decided collectively and sealed until the opening",
        "39号令第10条", "Order 39, article 10";
    LD_05 = "LD-05", K, Blocks, "2026-01-01",
        "投标人少于3人的终止招标",
        "with fewer than 3 bidders the tender stops",
        "39号令第13条", "Order 39, article 13";
    LD_09 = "LD-09", K, Blocks, "2026-01-01",
        "保证金不低于出让最低价的20%",
        "the deposit is at least 20 % of the minimum grant price",
        "国土资发〔2010〕34号", "Notice 34 of 2010 of the Ministry of Land and Resources";
    LD_10 = "LD-10", K, Due, "2026-01-01",
        "成交后10个工作日内公布结果",
        "the result is published within 10 working days",
        "39号令第22条", "Order 39, article 22";
    LD_13 = "LD-13", V2, Blocks, "2026-01-01",
        "标书投入标箱后不可撤回；价高者得",
        "a bid in the box can not be withdrawn; the highest price wins",
        "39号令第13条", "Order 39, article 13";
    PR_01 = "PR-01", V1, Blocks, "2026-01-01",
        "两个以上受让方的，公开竞价",
        "two or more transferees compete in public",
        "企业国有资产法第54条", "Law on State-Owned Assets of Enterprises, article 54";
    PR_02 = "PR-02", V1, Blocks, "2026-01-01",
        "首次披露的转让底价不低于评估结果",
        "at first disclosure the price is at least the appraisal",
        "企业国有资产法第55条", "Law on State-Owned Assets of Enterprises, article 55";
    PR_03 = "PR-03", V2, Blocks, "2026-01-01",
        "产权转让正式披露不少于20个工作日",
        "property rights are disclosed for at least 20 working days",
        "企业国有资产交易监督管理办法（32号令）第13条", "Order 32 on trading state-owned assets, article 13";
    PR_04 = "PR-04", V2, Blocks, "2026-01-01",
        "资产转让按价格披露10或20个工作日",
        "assets are disclosed for 10 or 20 working days by price",
        "32号令第49条", "Order 32, article 49";
    PR_05 = "PR-05", V2, Blocks, "2026-01-01",
        "无人受让的可降价重新披露，低于评估价90%须书面同意",
        "without a taker the price can be lowered and disclosed again; below 90 % of the appraisal with written consent",
        "32号令第18条", "Order 32, article 18";
    PR_06 = "PR-06", V2, Blocks, "2026-01-01",
        "披露内容不得变更，变更的重新计算披露期",
        "disclosed content is frozen; a change restarts the period",
        "32号令第20条；产权交易操作规则", "Order 32, article 20; operating rules";
    PR_10 = "PR-10", K, Blocks, "2026-01-01",
        "只有一个受让方的，按报价与挂牌价孰高成交",
        "a single taker pays the higher of offer and asking price",
        "产权交易操作规则（2025）", "operating rules of 2025";
    PR_13 = "PR-13", V2, Blocks, "2026-01-01",
        "交易结果公告不少于5个工作日",
        "the result is announced for at least 5 working days",
        "32号令第29条", "Order 32, article 29";
    PF_01 = "PF-01", Own, Blocks, "2026-01-01",
        "状态只按表变动",
        "states move only as the table says",
        "平台规则", "platform rule";
    PF_02 = "PF-02", Own, Blocks, "2026-01-01",
        "每一步由表列的一方办理，项目单位只办自己的标段",
        "each act belongs to the party the table names; an initiator acts on its own lots",
        "平台规则", "platform rule";
    PF_03 = "PF-03", Own, Records, "2026-01-01",
        "中止、恢复、延期、终止等须说明理由",
        "holds, releases, extensions, terminations and attributions carry a reason",
        "平台规则", "platform rule";
    PF_04 = "PF-04", Own, Blocks, "2026-01-01",
        "公告前加密公钥已就绪",
        "the key set is ready before the notice",
        "平台规则", "platform rule";
    PF_05 = "PF-05", Own, Blocks, "2026-01-01",
        "公告前文件已上传",
        "documents are attached before the notice",
        "平台规则", "platform rule";
    PF_06 = "PF-06", Own, Blocks, "2026-01-01",
        "截止和开标时间只能推后",
        "deadline and opening only move later",
        "平台规则", "platform rule";
    PF_07 = "PF-07", Own, Blocks, "2026-01-01",
        "截止后不再澄清、延期",
        "after the deadline nothing about it changes",
        "平台规则", "platform rule";
    PF_08 = "PF-08", Own, Blocks, "2026-01-01",
        "截止前平台中断的，由人决定延期或继续",
        "after an outage right before the deadline a person decides to extend or to go on",
        "平台规则", "platform rule";
    PF_09 = "PF-09", Own, Blocks, "2026-01-01",
        "中止由有权方作出和恢复；截止在中止期间已过的，须定新截止时间",
        "holds are placed and released by their own parties; a deadline that passed under a hold is set anew",
        "平台规则", "platform rule";
    PF_10 = "PF-10", Own, Blocks, "2026-01-01",
        "投标须依据最新文件，澄清后可以确认原投标",
        "a bid names the current documents; an earlier one can be confirmed",
        "平台规则", "platform rule";
    PF_11 = "PF-11", Own, Blocks, "2026-01-01",
        "投标单位身份已确认，且不是项目单位自己",
        "the bidder's identity is confirmed, and it is not the initiator",
        "平台规则", "platform rule";
    PF_12 = "PF-12", Own, Blocks, "2026-01-01",
        "退回登记须一次性告知全部补正事项",
        "a return lists every deficiency at once",
        "平台规则", "platform rule";
    PF_13 = "PF-13", Own, Blocks, "2026-01-01",
        "一个标段至多有一个后继标段",
        "a lot has one successor at most",
        "平台规则", "platform rule";
    PF_14 = "PF-14", Own, Blocks, "2026-01-01",
        "全部结果保存后一次公布",
        "all outcomes are stored before the box is revealed, at once",
        "平台规则", "platform rule";
    PF_15 = "PF-15", Own, Blocks, "2026-01-01",
        "每份投标有结论、有评审报告后方可完成评审",
        "every bid is judged and a report is filed before the evaluation is complete",
        "平台规则", "platform rule";
    PF_16 = "PF-16", Own, Blocks, "2026-01-01",
        "公告时间先后合理",
        "the notice's dates are in order",
        "平台规则", "platform rule";
    PF_17 = "PF-17", Own, Blocks, "2026-01-01",
        "报价相同的，按公告载明的规则确定先后，默认最终提交在先",
        "ties are broken by the rule in the notice; by default the earlier final submission",
        "平台规则", "platform rule";
    PF_18 = "PF-18", Own, Blocks, "2026-01-01",
        "异议答复前不定标",
        "no award while an objection to the result is open",
        "平台规则", "platform rule";
    PF_19 = "PF-19", Own, Due, "2026-01-01",
        "无专门条款的流程，异议在相应阶段提出并3日内答复",
        "where no article says it: objections in their phase, answered in 3 days",
        "平台规则", "platform rule";
}
